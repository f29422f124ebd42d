//! The bindings of the shaders.

use crate::layout::HEADER_WORDS;
use crate::params::{LossHeader, Params, TermParams};

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

/// How wide an access is, narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Width {
    /// One word: always possible.
    Word,
    /// A quad of elements at once, where every one lies at a multiple of 16 bytes.
    Quad,
    /// An octet of elements at once, where every one lies at a multiple of 32 bytes. It is read as four integers of 64 bits,
    /// which halves the work of adapters that read lane by lane. Not WebGPU: takes [`wgpu::Features::SHADER_INT64`].
    Octet,
}

impl Width {
    pub(crate) const WIDEST_FIRST: [Self; 3] = [Self::Octet, Self::Quad, Self::Word];

    /// The neighbouring elements that an access reaches.
    pub(crate) fn elements(self) -> u64 {
        match self {
            Self::Word => 1,
            Self::Quad => 4,
            Self::Octet => 8,
        }
    }
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

    /// The WGSL that declares a data slot, and the function by which the loaders and storers reach the eight words of an
    /// octet.
    pub(crate) fn declaration(self, access: Access, width: Width) -> String {
        let (name, binding) = (self.name(), self.binding());
        let width = Self::element(access, width);
        let element = match width {
            Width::Word => "u32",
            Width::Quad => "vec4<u32>",
            Width::Octet => "vec4<u64>",
        };
        let variable = |mode| format!("@group(0) @binding({binding}) var<storage, {mode}> {name}: array<{element}>;\n");
        let (variable, home) = match access {
            Access::Read => (variable("read"), name),
            Access::ReadWrite => (variable("read_write"), name),
            Access::Within(host) => (String::new(), host.name()),
        };
        variable + &if self == Self::Output { storer(home, width) } else { loader(name, home, width) }
    }

    /// How wide the elements of a data slot are declared. What is written, too, may end within an octet, and words of 64
    /// bits cannot be written in part.
    fn element(access: Access, width: Width) -> Width {
        if access == Access::Read { width } else { width.min(Width::Quad) }
    }

    /// The least that must be bound, in bytes. Said in the layout, it is checked once, when the bind group is made, and not
    /// with every dispatch.
    fn least_bytes(self, access: Option<Access>, width: Width) -> u64 {
        let words = match self {
            Self::Params => size_of::<Params>() as u64 / 4,
            Self::Scratch => HEADER_WORDS + 1,
            Self::Loss => (size_of::<LossHeader>() + size_of::<TermParams>()) as u64 / 4,
            Self::ClassWeights => 1,
            _ => Self::element(access.unwrap_or(Access::Read), width).elements(),
        };
        4 * words
    }

    pub(crate) fn layout_entry(self, access: Option<Access>, width: Width) -> wgpu::BindGroupLayoutEntry {
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
            ty: wgpu::BindingType::Buffer {
                ty,
                has_dynamic_offset: false,
                min_binding_size: std::num::NonZero::new(self.least_bytes(access, width)),
            },
            count: None,
        }
    }
}

/// Where the element `slot` of an octet lies, for accesses of one word.
fn place(home: &str, slot: u32) -> String {
    format!("{home}[index + {}u * slot_step() + {}u * quad_step()]", slot % 4, slot / 4)
}

fn loader(name: &str, home: &str, width: Width) -> String {
    let quad = |parts: [String; 4]| format!("vec4<u32>({})", parts.join(", "));
    let (lines, [low, high]) = match width {
        Width::Word => (String::new(), [0, 4].map(|first| quad([0, 1, 2, 3].map(|slot| place(home, first + slot))))),
        Width::Quad => (String::new(), ["index", "(index + quad_step())"].map(|at| format!("{home}[{at} / 4u]"))),
        Width::Octet => {
            let half = |part, shift: u32| format!("u32(words.{part} >> {shift}u)");
            let halves =
                [["x", "y"], ["z", "w"]].map(|[a, b]| quad([half(a, 0), half(a, 32), half(b, 0), half(b, 32)]));
            (format!("    let words = {home}[index / 8u];\n"), halves)
        }
    };
    format!("fn {name}_words(index: u32) -> Words {{\n{lines}    return Words({low}, {high});\n}}\n")
}

/// Stores the words whose flag in `inside` is set.
fn storer(home: &str, width: Width) -> String {
    let half = |(first, half): (u32, &str)| {
        let quad = format!("{home}[(index + {}u * quad_step()) / 4u]", first / 4);
        let store = |(slot, part): (u32, &str)| {
            let place = if width == Width::Word { place(home, first + slot) } else { format!("{quad}.{part}") };
            format!("if inside.{half}.{part} {{ {place} = words.{half}.{part}; }}\n")
        };
        let each = [(0, "x"), (1, "y"), (2, "z"), (3, "w")].map(store).concat();
        match width {
            Width::Word => each,
            Width::Quad | Width::Octet => {
                format!("if all(inside.{half}) {{ {quad} = words.{half}; }} else {{\n{each}}}\n")
            }
        }
    };
    let body = [(0, "low"), (4, "high")].map(half).concat();
    format!("fn output_store(index: u32, words: Words, inside: Inside) {{\n{body}}}\n")
}
