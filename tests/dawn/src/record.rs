//! A case: planned, recorded, and written down with what is expected of it.

use std::path::{Path, PathBuf};

use segloss::{Batch, Gpu, Loss};
use serde::Serialize;
use wgpu_core::command::PointerReferences;
use wgpu_core::device::trace::{Action, FILE_NAME};

use crate::arrangement::Arrangement;
use crate::context::Context;
use crate::expectation::{Expectation, expectation};

/// What one case is for who runs it.
#[derive(Serialize)]
struct Case<'a> {
    name: &'a str,
    /// Everything that was asked of the device, in wgpu's own words. Shaders and contents are files beside.
    actions: Vec<Action<'static, PointerReferences>>,
    expectation: Expectation,
}

/// Writes cases into a folder, each into one of its own.
pub(crate) struct Recorder {
    folder: PathBuf,
    cases: usize,
}

impl Recorder {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), cases: 0 }
    }

    pub(crate) fn cases(&self) -> usize {
        self.cases
    }

    /// Records the evaluation of a loss on a batch whose tensors lie like this.
    pub(crate) fn whole(&mut self, name: &str, context: Context, loss: &Loss, batch: &Batch, lie: Arrangement) {
        self.record(name, context, loss, batch, lie, false);
    }

    /// Records the two halves of an evaluation, in a submission each.
    pub(crate) fn halves(&mut self, name: &str, context: Context, loss: &Loss, batch: &Batch, lie: Arrangement) {
        self.record(name, context, loss, batch, lie, true);
    }

    fn record(&mut self, name: &str, context: Context, loss: &Loss, batch: &Batch, lie: Arrangement, in_halves: bool) {
        let folder = self.folder.join(format!("{:03}", self.cases));
        std::fs::create_dir_all(&folder).expect("the folder for the cases can be written to");
        // The file is complete when the device is gone.
        let expectation = submit(&context.recording(&folder), loss, batch, lie, in_halves);
        let trace = std::fs::read_to_string(folder.join(FILE_NAME)).expect("wgpu has left a trace");
        let actions = ron::from_str(&trace).expect("wgpu reads what it has written");
        let name = &format!("{name} {:?}", batch.shape().dims());
        let case = serde_json::to_vec(&Case { name, actions, expectation }).expect("a case is plain data");
        std::fs::write(folder.join("case.json"), case).expect("the folder for the cases can be written to");
        self.cases += 1;
    }
}

/// Asks a device for an evaluation, and says what to expect of it.
fn submit(gpu: &Gpu, loss: &Loss, batch: &Batch, lie: Arrangement, in_halves: bool) -> Expectation {
    let plan = gpu.plan(loss, batch.problem()).expect("a case can be planned");
    let arranged = lie.fill(gpu, loss, batch);
    let scratch = crate::buffers::scratch(gpu, plan.scratch_size());
    let bound = plan.bind(&arranged.buffers(loss, batch), (&scratch).into()).expect("a case can be bound");
    batch.row_upstream().map_or(Ok(()), |rows| bound.set_row_upstream(rows)).expect("it was planned");
    let submit = |record: &dyn Fn(&mut wgpu::CommandEncoder)| {
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        record(&mut encoder);
        gpu.queue().submit([encoder.finish()]);
    };
    if in_halves {
        submit(&|encoder| bound.encode_sums(encoder));
        submit(&|encoder| bound.encode_loss(encoder));
    } else {
        submit(&|encoder| bound.encode(encoder));
    }
    expectation(loss, batch, &plan, &arranged)
}
