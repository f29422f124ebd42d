//! The bindings of the shaders.

/// A binding, by what it carries. Its number is its position here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Slot {
    Params,
    Scratch,
    Loss,
    ClassWeights,
    Logits,
    Targets,
    Mask,
    VoxelWeights,
    Output,
}

/// How a data binding is declared in a shader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Access {
    /// As read-only storage.
    Read,
    /// As writable storage: the output, and every input that lies in the output's buffer, since WebGPU
    /// forbids to bind ranges of one buffer for reading and for writing in one dispatch.
    ReadWrite,
    /// Not at all: its range, rounded out to the alignment, overlaps that of another slot whose binding
    /// covers both.
    Within(Slot),
}

impl Slot {
    pub(crate) const ALL: [Self; 9] = [
        Self::Params,
        Self::Scratch,
        Self::Loss,
        Self::ClassWeights,
        Self::Logits,
        Self::Targets,
        Self::Mask,
        Self::VoxelWeights,
        Self::Output,
    ];

    /// The slots of caller's data.
    pub(crate) const DATA: [Self; 5] = [Self::Logits, Self::Targets, Self::Mask, Self::VoxelWeights, Self::Output];

    pub(crate) fn binding(self) -> u32 {
        self as u32
    }

    /// Its global's name; data slots are reached through `{name}_word` or `{name}_store`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Params => "params",
            Self::Scratch => "scratch",
            Self::Loss => "loss",
            Self::ClassWeights => "class_weights",
            Self::Logits => "logits",
            Self::Targets => "targets",
            Self::Mask => "mask",
            Self::VoxelWeights => "voxel_weights",
            Self::Output => "output",
        }
    }

    /// The WGSL that declares a data slot, and the function by which the loaders and storers reach it.
    pub(crate) fn declaration(self, access: Access) -> String {
        let (name, binding) = (self.name(), self.binding());
        let (variable, home) = match access {
            Access::Read => (format!("@group(0) @binding({binding}) var<storage, read> {name}: array<u32>;\n"), name),
            Access::ReadWrite => {
                (format!("@group(0) @binding({binding}) var<storage, read_write> {name}: array<u32>;\n"), name)
            }
            Access::Within(host) => (String::new(), host.name()),
        };
        let function = if self == Self::Output {
            format!("fn {name}_store(index: u32, word: u32) {{ {home}[index] = word; }}\n")
        } else {
            format!("fn {name}_word(index: u32) -> u32 {{ return {home}[index]; }}\n")
        };
        variable + &function
    }

    pub(crate) fn layout_entry(self, access: Option<Access>) -> wgpu::BindGroupLayoutEntry {
        let ty = match (self, access) {
            (Self::Params, _) => wgpu::BufferBindingType::Uniform,
            (Self::Loss | Self::ClassWeights, _) | (_, Some(Access::Read)) => {
                wgpu::BufferBindingType::Storage { read_only: true }
            }
            _ => wgpu::BufferBindingType::Storage { read_only: false },
        };
        wgpu::BindGroupLayoutEntry {
            binding: self.binding(),
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        }
    }
}
