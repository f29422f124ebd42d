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

    /// How a data slot is declared for elements of so many bits; its binding is that of `home`.
    pub(crate) fn storage(self, access: Access, width: Width, bits: u32) -> Storage {
        // What is written, too, may end within an octet, and words of 64 bits cannot be written in part.
        let width = if access == Access::Read { width } else { width.min(Width::Quad) };
        Storage { width, bits, is_atomic: false }
    }

    /// The least that must be bound, in bytes. Said in the layout, it is checked once, when the bind group is made, and not
    /// with every dispatch.
    fn least_bytes(self, storage: Storage) -> u64 {
        let words = match self {
            Self::Params => size_of::<Params>() as u64 / 4,
            Self::Scratch => HEADER_WORDS + 1,
            Self::Loss => (size_of::<LossHeader>() + size_of::<TermParams>()) as u64 / 4,
            Self::ClassWeights => 4,
            _ => return storage.type_bytes(),
        };
        4 * words
    }

    pub(crate) fn layout_entry(self, access: Option<Access>, storage: Storage) -> wgpu::BindGroupLayoutEntry {
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
                min_binding_size: std::num::NonZero::new(self.least_bytes(storage)),
            },
            count: None,
        }
    }
}

/// How the elements of a data slot are stored and reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Storage {
    pub(crate) width: Width,
    /// Of an element: 1, 8, 16, 32 or 64.
    pub(crate) bits: u32,
    /// Whether the words are atomics: where two lanes may own parts of one.
    pub(crate) is_atomic: bool,
}

impl Storage {
    /// A word of anything.
    pub(crate) const WORD: Self = Self { width: Width::Word, bits: 32, is_atomic: false };

    /// The type of the array that is declared.
    fn type_name(self) -> &'static str {
        match (self.width, self.bits) {
            _ if self.is_atomic => "atomic<u32>",
            (Width::Quad, 16) | (Width::Octet, 8) => "vec2<u32>",
            (Width::Quad, 32) | (Width::Quad | Width::Octet, 64) | (Width::Octet, 16) => "vec4<u32>",
            (Width::Octet, 32) => "vec4<u64>",
            _ => "u32",
        }
    }

    /// Its size.
    pub(crate) fn type_bytes(self) -> u64 {
        match self.type_name() {
            "vec2<u32>" => 8,
            "vec4<u32>" => 16,
            "vec4<u64>" => 32,
            _ => 4,
        }
    }

    /// The WGSL that declares `name`, if it is bound itself, and the function by which the loaders or storers reach the eight
    /// elements of an octet. `home` is the name of the binding that covers it.
    pub(crate) fn declaration(self, slot: Slot, access: Access) -> String {
        let (name, binding) = (slot.name(), slot.binding());
        let ty = self.type_name();
        let variable = |mode| format!("@group(0) @binding({binding}) var<storage, {mode}> {name}: array<{ty}>;\n");
        let (variable, home) = match access {
            Access::Read => (variable("read"), name),
            Access::ReadWrite => (variable("read_write"), name),
            Access::Within(host) => (String::new(), host.name()),
        };
        variable + &if slot == Slot::Output { self.storer(home) } else { self.loader(name, home) }
    }

    /// The word of index `at`.
    fn word(self, home: &str, at: &str) -> String {
        if self.is_atomic { format!("atomicLoad(&{home}[{at}])") } else { format!("{home}[{at}]") }
    }

    /// One element, by its index.
    fn element(self, home: &str, at: &str) -> String {
        let word = |at: &str| self.word(home, at);
        match self.bits {
            64 => format!("narrowed({}, {})", word(&format!("2u * ({at})")), word(&format!("2u * ({at}) + 1u"))),
            32 => word(at),
            bits => {
                let (each, mask) = (32 / bits, (1_u64 << bits) - 1);
                let word = word(&format!("({at}) / {each}u"));
                format!("({word} >> ({bits}u * (({at}) % {each}u))) & {mask}u")
            }
        }
    }

    /// Four neighbours, by the index of the first, a multiple of four.
    fn quad(self, home: &str, at: &str) -> String {
        match self.bits {
            64 => format!("narrowed_quad({home}[({at}) / 2u], {home}[({at}) / 2u + 1u])"),
            32 => format!("{home}[({at}) / 4u]"),
            16 => format!("halves({home}[({at}) / 4u])"),
            8 => format!("bytes({home}[({at}) / 4u])"),
            _ => format!("bits({home}[({at}) / 32u] >> (({at}) % 32u))"),
        }
    }

    fn loader(self, name: &str, home: &str) -> String {
        let vector = |parts: [String; 4]| format!("vec4<u32>({})", parts.join(", "));
        let place =
            |slot: u32| format!("index + {}u * slot_step() * step + {}u * quad_step() * step", slot % 4, slot / 4);
        let next = "index + quad_step()";
        let (lines, [low, high]) = match (self.width, self.bits) {
            (Width::Word, _) => {
                let quad = |first: u32| vector([0, 1, 2, 3].map(|slot| self.element(home, &place(first + slot))));
                (String::new(), [0, 4].map(quad))
            }
            (Width::Octet, 32) => {
                let half = |part, shift: u32| format!("u32(words.{part} >> {shift}u)");
                let halves =
                    [["x", "y"], ["z", "w"]].map(|[a, b]| vector([half(a, 0), half(a, 32), half(b, 0), half(b, 32)]));
                (format!("    let words = {home}[index / 8u];\n"), halves)
            }
            (Width::Octet, 16) => {
                let line = format!("    let words = {home}[index / 8u];\n");
                (line, ["xy", "zw"].map(|part| format!("halves(words.{part})")))
            }
            (Width::Octet, 8) => {
                let line = format!("    let words = {home}[index / 8u];\n");
                (line, ["x", "y"].map(|part| format!("bytes(words.{part})")))
            }
            _ => (String::new(), ["index", next].map(|at| self.quad(home, at))),
        };
        // The step from one element to the next only matters where elements are reached one by one.
        format!("fn {name}_words(index: u32, step: u32) -> Words {{\n{lines}    return Words({low}, {high});\n}}\n")
    }

    /// Stores the elements whose flag in `inside` is set.
    fn storer(self, home: &str) -> String {
        let body = [(0, "low"), (4, "high")].map(|half| self.storer_of(home, half)).concat();
        format!("fn output_store(index: u32, step: u32, words: Words, inside: Inside) {{\n{body}}}\n")
    }

    fn storer_of(self, home: &str, (first, half): (u32, &str)) -> String {
        let parts = [(0, "x"), (1, "y"), (2, "z"), (3, "w")];
        let place = |slot: u32| format!("index + {slot}u * slot_step() * step + {}u * quad_step() * step", first / 4);
        let quad = format!("(index + {}u * quad_step()) / 4u", first / 4);
        let each = |store: &dyn Fn(u32, &str) -> String| {
            parts.map(|(slot, part)| format!("if inside.{half}.{part} {{ {} }}\n", store(slot, part))).concat()
        };
        let value = |part: &str| format!("words.{half}.{part}");
        match (self.width, self.bits) {
            (Width::Word, 32) => each(&|slot, part| {
                let at = place(slot);
                if self.is_atomic {
                    format!("atomicStore(&{home}[{at}], {});", value(part))
                } else {
                    format!("{home}[{at}] = {};", value(part))
                }
            }),
            // The other half of the word belongs to another lane, or to another tensor.
            (Width::Word, _) => each(&|slot, part| {
                let at = place(slot);
                let word = format!("{home}[({at}) / 2u]");
                let shift = format!("(16u * (({at}) % 2u))");
                format!("atomicAnd(&{word}, ~(0xffffu << {shift})); atomicOr(&{word}, {} << {shift});", value(part))
            }),
            (_, 32) => {
                let partly = each(&|_, part| format!("{home}[{quad}].{part} = {};", value(part)));
                format!("if all(inside.{half}) {{ {home}[{quad}] = words.{half}; }} else {{\n{partly}}}\n")
            }
            (_, _) => {
                let partly = each(&|slot, part| {
                    let (word, shift) = (["x", "y"][slot as usize / 2], 16 * (slot % 2));
                    let keep = 0xffff_u32 << (16 - shift);
                    let home = format!("{home}[{quad}].{word}");
                    format!("{home} = ({home} & {keep}u) | ({} << {shift}u);", value(part))
                });
                format!("if all(inside.{half}) {{ {home}[{quad}] = packed(words.{half}); }} else {{\n{partly}}}\n")
            }
        }
    }
}
