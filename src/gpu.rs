//! The context: a device, its widths, and the pipelines made so far.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::evaluate::Kept;
use crate::geometry::Grain;
use crate::kernel::{
    Data, MapShape, Stage, Team, Variant, Widths,
    slot::{Reach, Width},
};
use crate::turn::{Turn, Turns};
use crate::{AdapterChoice, Error, Loss, Plan, Problem, adapter};

/// How a workgroup adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reducer {
    /// By a binary tree in workgroup memory: works everywhere.
    Tree,
    /// By subgroup additions, where the device has [`wgpu::Features::SUBGROUP`].
    Subgroup,
}

/// What workgroups and tiles are sized for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tuning {
    /// A GPU: wide workgroups, many of them.
    Gpu,
    /// Software, which runs a workgroup one vector at a time on a few cores.
    Cpu,
}

/// A device ready to evaluate losses. Cheap to clone; clones share their pipelines.
///
/// Everything hangs off this value: there is no global state. Threads may share it. On GL, whose commands are of one thread at a time,
/// the methods of a context and its clones wait for each other. Your own calls of wgpu, what is dropped, and contexts of other devices of
/// the same adapter do not, and wgpu panics where one waits for another's work (six seconds, on Windows one), so use one thread there.
#[derive(Clone, Debug)]
pub struct Gpu {
    inner: Arc<Inner>,
    reducer: Reducer,
    tuning: Tuning,
    widths: Widths,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug)]
struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    info: wgpu::AdapterInfo,
    limits: wgpu::Limits,
    pipelines: Mutex<HashMap<(Variant, Tuning), wgpu::ComputePipeline>>,
    pipeline_cache: OnceLock<wgpu::PipelineCache>,
    turns: Turns,
    /// Why the device is lost, if it is and this library made it.
    lost: Arc<OnceLock<String>>,
}

/// Features that the kernels use where they are there.
const USED: wgpu::Features = wgpu::Features::SUBGROUP.union(wgpu::Features::SHADER_INT64);
/// Features that nothing here uses, but callers may: the device's clock, pipelines kept on disk.
const OFFERED: wgpu::Features = wgpu::Features::TIMESTAMP_QUERY
    .union(wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS)
    .union(wgpu::Features::PIPELINE_CACHE);

impl Gpu {
    /// A context on the best adapter, or the one that `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` name.
    ///
    /// It has a [`wgpu::Instance`] of its own. wgpu tells buffers of two instances apart by nothing, so that what is made with one such
    /// context and given to another is taken for something else: wrong numbers, or a panic. Devices that have to do with each other
    /// are made of one instance and given to [`from_wgpu`](Self::from_wgpu).
    ///
    /// # Errors
    /// [`Error::NoAdapter`], [`Error::UnknownBackend`], [`Error::NoDevice`] or [`Error::Limit`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn new() -> Result<Self, Error> {
        Self::with_adapter(&AdapterChoice::Auto)
    }

    /// A context on an adapter of choice.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    #[cfg(not(target_arch = "wasm32"))]
    pub fn with_adapter(choice: &AdapterChoice) -> Result<Self, Error> {
        pollster::block_on(Self::request(choice))
    }

    /// The async twin of [`with_adapter`](Self::with_adapter).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub async fn request(choice: &AdapterChoice) -> Result<Self, Error> {
        let adapters = adapter::enumerate().await?;
        let infos: Vec<_> = adapters.iter().map(wgpu::Adapter::get_info).collect();
        let adapter = &adapters[adapter::choose(&infos, choice)?.index];
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("segloss"),
            required_features: adapter.features() & (USED | OFFERED),
            required_limits: adapter.limits(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..Default::default()
        };
        let (device, queue) = adapter
            .request_device(&descriptor)
            .await
            .map_err(|error| Error::NoDevice { adapter: adapter.get_info().name, reason: error.to_string() })?;
        let lost = Arc::new(OnceLock::new());
        let told = lost.clone();
        device.set_device_lost_callback(move |reason, message| {
            // It is lost once; what would be told later adds nothing.
            let message = if message.is_empty() { String::new() } else { format!(", {message}") };
            let _ = told.set(format!("{reason:?}{message}"));
        });
        Self::around(device, queue, lost)
    }

    /// A context inside an existing device, which may have default limits and no features.
    ///
    /// The queue must be the device's: of another's wgpu panics with the first evaluation.
    ///
    /// # Errors
    /// [`Error::Limit`] if the device has no compute shaders or too few storage buffers for any loss.
    pub fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self, Error> {
        // The callback is its owner's.
        Self::around(device, queue, Arc::default())
    }

    fn around(device: wgpu::Device, queue: wgpu::Queue, lost: Arc<OnceLock<String>>) -> Result<Self, Error> {
        let (limits, info) = (device.limits(), device.adapter_info());
        let at_least = |limit, found: u64, needed| {
            if found < needed { Err(Error::Limit { limit, found, needed }) } else { Ok(()) }
        };
        let invocations = limits.max_compute_invocations_per_workgroup.min(limits.max_compute_workgroup_size_x);
        at_least("max_compute_invocations_per_workgroup", invocations.into(), 64)?;
        at_least("max_storage_buffers_per_shader_stage", limits.max_storage_buffers_per_shader_stage.into(), 4)?;
        at_least("max_compute_workgroups_per_dimension", limits.max_compute_workgroups_per_dimension.into(), 1)?;
        at_least("max_compute_workgroup_storage_size", limits.max_compute_workgroup_storage_size.into(), 8192)?;
        let tuning = if info.device_type == wgpu::DeviceType::Cpu { Tuning::Cpu } else { Tuning::Gpu };
        let widths = widths(tuning, &info, &limits, device.features());
        let reducer = if has_subgroups(&info, device.features()) { Reducer::Subgroup } else { Reducer::Tree };
        let (pipelines, pipeline_cache, turns) = (Mutex::default(), OnceLock::new(), Turns::default());
        let inner = Inner { device, queue, info, limits, pipelines, pipeline_cache, turns, lost };
        Ok(Self { inner: Arc::new(inner), reducer, tuning, widths, kept: Arc::default() })
    }

    /// The same context with another reducer. `None` if the device lacks it.
    #[must_use]
    pub fn with_reducer(&self, reducer: Reducer) -> Option<Self> {
        let has = has_subgroups(&self.inner.info, self.device().features());
        (has || reducer == Reducer::Tree).then(|| Self { reducer, ..self.clone() })
    }

    /// The same context, tuned for another kind of adapter than wgpu says this is: for a GPU that does not say so, or to run on
    /// software what a GPU runs. Speed and the order of additions depend on it, and on software adapters how many classes a
    /// softmax may have.
    #[must_use]
    pub fn with_tuning(&self, tuning: Tuning) -> Self {
        let widths = widths(tuning, &self.inner.info, &self.inner.limits, self.device().features());
        Self { tuning, widths, ..self.clone() }
    }

    /// Has the driver look for pipelines in this cache before it compiles them, and leave new ones there: for programs that
    /// save it ([`wgpu::PipelineCache::get_data`]) and make it anew when they start
    /// ([`wgpu::Device::create_pipeline_cache`]). The device needs [`wgpu::Features::PIPELINE_CACHE`], which contexts of
    /// [`new`](Self::new) have where the adapter does. The first cache that is set stays; of another device, no plan succeeds any more.
    pub fn set_pipeline_cache(&self, cache: wgpu::PipelineCache) {
        // A second one is dropped, as documented.
        let _ = self.inner.pipeline_cache.set(cache);
    }

    /// How workgroups add up.
    #[must_use]
    pub fn reducer(&self) -> Reducer {
        self.reducer
    }

    /// What workgroups and tiles are sized for.
    #[must_use]
    pub fn tuning(&self) -> Tuning {
        self.tuning
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &wgpu::Device {
        &self.inner.device
    }

    /// Whether both are clones of one context. (Devices of two instances compare equal.)
    pub(crate) fn shares_device(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The queue.
    #[must_use]
    pub fn queue(&self) -> &wgpu::Queue {
        &self.inner.queue
    }

    /// What is known of the adapter.
    #[must_use]
    pub fn adapter_info(&self) -> &wgpu::AdapterInfo {
        &self.inner.info
    }

    /// Plans a loss for a problem: validates, sizes, compiles. No data is touched.
    ///
    /// # Errors
    /// [`Error::Loss`], [`Error::NotDifferentiable`], [`Error::NoGradientOfLabels`], [`Error::ActivationOfLabels`],
    /// [`Error::TooLarge`], [`Error::Limit`] or [`Error::Device`].
    pub fn plan(&self, loss: &Loss, problem: &Problem) -> Result<Plan, Error> {
        let _turn = self.turn();
        Plan::new(self, loss, problem)
    }

    /// The same context without what [`evaluate`](Self::evaluate) keeps, for plans: they are kept there, and what is kept
    /// must not hold itself.
    pub(crate) fn for_plan(&self) -> Self {
        Self { kept: Arc::default(), ..self.clone() }
    }

    /// What [`evaluate`](Self::evaluate) keeps.
    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        // Entries are moved in and out whole, whatever panics elsewhere.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn limits(&self) -> &wgpu::Limits {
        &self.inner.limits
    }

    pub(crate) fn widths(&self) -> Widths {
        self.widths
    }

    /// The team that adds up a tile or combines a row.
    pub(crate) fn team(&self, single_lane: bool) -> Team {
        match self.reducer {
            _ if single_lane => Team::Lane,
            Reducer::Tree => Team::Tree,
            Reducer::Subgroup => Team::Subgroup,
        }
    }

    /// The variant of a stage. Stages that see sums only reach no data, whatever `reach` says.
    pub(crate) fn variant(&self, stage: Stage, single_lane: bool, data: Option<Data>, reach: Reach) -> Variant {
        let reach = if data.is_some() { reach } else { Reach::apart(Width::Word) };
        let data = data.map(|data| Data {
            map: if matches!(stage, Stage::Accumulate | Stage::AccumulateColumns) { data.map } else { MapShape::None },
            gradient: data.gradient && stage == Stage::Evaluate,
            ..data
        });
        Variant { stage, team: self.team(single_lane), data, reach }
    }

    /// How many pipelines there are.
    #[cfg(test)]
    pub(crate) fn pipelines(&self) -> usize {
        self.inner.pipelines.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The pipeline of a variant, compiled on first use and kept.
    pub(crate) fn pipeline(&self, variant: Variant) -> Result<wgpu::ComputePipeline, Error> {
        let storage = variant.storage_buffers();
        let limit = self.limits().max_storage_buffers_per_shader_stage;
        if storage > limit {
            return Err(Error::Limit {
                limit: "max_storage_buffers_per_shader_stage",
                found: limit.into(),
                needed: storage.into(),
            });
        }
        // A panic elsewhere cannot leave the map half-written: entries are inserted whole.
        let mut pipelines = self.inner.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = pipelines.get(&(variant, self.tuning)) {
            return Ok(pipeline.clone());
        }
        let (pipeline, complaint) =
            self.scoped(|device| variant.compile(device, self.widths(), self.inner.pipeline_cache.get()));
        if complaint.is_none() {
            pipelines.insert((variant, self.tuning), pipeline.clone());
        }
        // What wgpu calls back where it is asked for the device's loss may want a pipeline, too.
        drop(pipelines);
        self.judged(pipeline, complaint)
    }

    /// On GL, waits until no other thread is in a call of this context: wgpu's GL backend panics where a thread waits longer than
    /// some seconds for the context of another.
    pub(crate) fn turn(&self) -> Option<Turn<'_>> {
        let gl = self.inner.info.backend == wgpu::Backend::Gl;
        gl.then(|| self.inner.turns.take()).flatten()
    }

    /// A buffer with contents, rounded up to whole octets: what the widest access reaches. (wgpu's own helper for this
    /// panics where there is no memory.)
    pub(crate) fn filled(
        &self,
        label: &str,
        contents: &[u8],
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, Error> {
        let size = whole_octets(contents.len() as u64);
        let descriptor = wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: true };
        let buffer = self.guarded(|device| device.create_buffer(&descriptor))?;
        let mut view = buffer.get_mapped_range_mut(..).map_err(|error| self.failure(error.to_string()))?;
        view.slice(..contents.len()).copy_from_slice(contents);
        drop(view);
        self.guarded(|_| buffer.unmap())?;
        Ok(buffer)
    }

    /// The loss of the device, if it is lost and this library made it.
    pub(crate) fn lost(&self) -> Option<Error> {
        self.inner.lost.get().map(|reason| Error::DeviceLost { reason: reason.clone() })
    }
}

/// A buffer's size for so many bytes of data: a whole number of octets, at least one, since bindings may not be empty.
pub(crate) fn whole_octets(bytes: u64) -> u64 {
    bytes.max(1).next_multiple_of(4 * Width::Octet.elements())
}

/// How wide an adapter's workgroups are: the one place where its properties decide. What it is tuned for says whether it is
/// taken for a GPU or for a software adapter.
///
/// * `workgroup`: 256 lanes, which every GPU has room for several of, or as many as the device allows.
/// * `run_lanes`, the lanes that walk memory side by side. On software adapters the subgroup where there are any, else 8 (a
///   256-bit vector). On GPUs the least subgroup, but at least 32: some name a least one that they hardly ever run.
/// * `data_workgroup`: on GPUs as many again, to hide memory's latency. A software adapter runs the subgroups of a
///   workgroup one after the other and switches between them at every barrier, which costs it 0.2 µs each; so there a
///   workgroup is one vector wide, but at least 8, lest a lane iterate too often (see `LARGEST_TILE`).
/// * `access`: software adapters read memory lane by lane, at a price for each access, not for each byte; so there it is
///   octets, in words of 64 bits. GPUs read the 16 bytes of a quad at once.
/// * `grain`: GPUs want many workgroups, whose last ones end about together; software adapters have a few cores to fill, and
///   each workgroup costs them 0.7 µs. A small problem is one tile a lane there.
/// * `iterations`: Mesa's software adapters silently leave a shader's loops after 65,535 iterations of an invocation. It holds
///   for what is one and for what is taken for one.
fn widths(tuning: Tuning, info: &wgpu::AdapterInfo, limits: &wgpu::Limits, features: wgpu::Features) -> Widths {
    let invocations = limits.max_compute_invocations_per_workgroup.min(limits.max_compute_workgroup_size_x);
    let has_subgroups = has_subgroups(info, features);
    let workgroup = 1 << invocations.min(256).ilog2();
    let is_cpu = tuning == Tuning::Cpu;
    let least_subgroup = if has_subgroups { 1 << info.subgroup_min_size.min(64).ilog2() } else { 8 };
    let run_lanes = if is_cpu { least_subgroup } else { least_subgroup.max(32) };
    let data_workgroup = if is_cpu { run_lanes.max(8) } else { workgroup };
    let octets = is_cpu && features.contains(wgpu::Features::SHADER_INT64);
    let access = if octets { Width::Octet } else { Width::Quad };
    let grain =
        if is_cpu { Grain::coarse(data_workgroup, limits.max_storage_buffer_binding_size) } else { Grain::FINEST };
    let min_subgroup = info.subgroup_min_size.max(1);
    let may_leave_loops = is_cpu || info.device_type == wgpu::DeviceType::Cpu;
    let iterations = if may_leave_loops { 50_000 } else { u64::MAX };
    Widths { workgroup, data_workgroup, run_lanes, min_subgroup, access, grain, iterations }
}

fn has_subgroups(info: &wgpu::AdapterInfo, features: wgpu::Features) -> bool {
    features.contains(wgpu::Features::SUBGROUP) && info.subgroup_min_size > 0
}
