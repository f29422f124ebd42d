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

/// How a dispatch reaches the caller's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reach {
    /// How the data bindings are declared, in the order of [`Slot::DATA`].
    pub(crate) access: [Access; 5],
    pub(crate) width: Width,
}

/// How wide an access is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Width {
    /// One word: always possible.
    Word,
    /// A quad of elements at once, where every one lies at a multiple of 16 bytes.
    Quad,
    /// The same, read as two integers of 64 bits, which halves the work of adapters that read lane by lane. Not WebGPU:
    /// takes [`wgpu::Features::SHADER_INT64`].
    Pairs,
}

impl Reach {
    /// Inputs and output that lie in different buffers.
    pub(crate) const fn apart(width: Width) -> Self {
        Self { access: [Access::Read, Access::Read, Access::Read, Access::Read, Access::ReadWrite], width }
    }
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

    /// Its global's name; data slots are reached through `{name}_words` or `{name}_store`.
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

    /// The WGSL that declares a data slot, and the function by which the loaders and storers reach four words of it:
    /// neighbours at a multiple of four, or, one by one, words that lie `step` apart.
    pub(crate) fn declaration(self, access: Access, width: Width) -> String {
        let (name, binding) = (self.name(), self.binding());
        // What is written, too, is written as it is read elsewhere: by words of 32 bits.
        let width = if width == Width::Pairs && access != Access::Read { Width::Quad } else { width };
        let element = match width {
            Width::Word => "u32",
            Width::Quad => "vec4<u32>",
            Width::Pairs => "vec2<u64>",
        };
        let variable = |mode| format!("@group(0) @binding({binding}) var<storage, {mode}> {name}: array<{element}>;\n");
        let (variable, home) = match access {
            Access::Read => (variable("read"), name),
            Access::ReadWrite => (variable("read_write"), name),
            Access::Within(host) => (String::new(), host.name()),
        };
        variable + &if self == Self::Output { storer(home, width) } else { loader(name, home, width) }
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

fn loader(name: &str, home: &str, width: Width) -> String {
    let body = match width {
        Width::Word => {
            let word = |slot: u32| format!("{home}[index + {slot}u * step]");
            format!("return vec4<u32>({});", [0, 1, 2, 3].map(word).join(", "))
        }
        Width::Quad => format!("return {home}[index / 4u];"),
        Width::Pairs => format!(
            "let pairs = {home}[index / 4u]; \
             return vec4<u32>(u32(pairs.x), u32(pairs.x >> 32u), u32(pairs.y), u32(pairs.y >> 32u));"
        ),
    };
    format!("fn {name}_words(index: u32, step: u32) -> vec4<u32> {{ {body} }}\n")
}

/// Stores the words whose flag in `inside` is set.
fn storer(home: &str, width: Width) -> String {
    let place = |(slot, part): (u32, &str)| match width {
        Width::Word => format!("{home}[index + {slot}u * step]"),
        Width::Quad | Width::Pairs => format!("{home}[index / 4u].{part}"),
    };
    let store = |slot: (u32, &str)| format!("    if inside.{} {{ {} = words.{}; }}\n", slot.1, place(slot), slot.1);
    let each: String = [(0, "x"), (1, "y"), (2, "z"), (3, "w")].map(store).concat();
    let whole = match width {
        Width::Word => String::new(),
        Width::Quad | Width::Pairs => format!("    if all(inside) {{ {home}[index / 4u] = words; return; }}\n"),
    };
    format!("fn output_store(index: u32, step: u32, words: vec4<u32>, inside: vec4<bool>) {{\n{whole}{each}}}\n")
}
