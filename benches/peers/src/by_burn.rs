//! The loss by Burn.

use burn::tensor::wgpu::WgpuBackend;
use burn::tensor::{Device, DeviceKind, Tensor, TensorData, activation::sigmoid};
use segloss::wgpu;

use crate::host::Inputs;
use crate::{Direction, Peer};

/// Burn's device on an adapter, with what wgpu says of the adapter that it came upon.
pub(crate) fn device_on(wanted: &wgpu::AdapterInfo) -> Result<(Device, wgpu::AdapterInfo), Box<dyn std::error::Error>> {
    let api = match wanted.backend {
        wgpu::Backend::Vulkan => WgpuBackend::Vulkan,
        wgpu::Backend::Metal => WgpuBackend::Metal,
        wgpu::Backend::Dx12 => WgpuBackend::Dx12,
        wgpu::Backend::Gl => WgpuBackend::Gl,
        backend => return Err(format!("Burn knows no backend {backend}").into()),
    };
    // Burn counts the adapters of a kind on a backend.
    let alike = |info: &&wgpu::AdapterInfo| (info.backend, info.device_type) == (wanted.backend, wanted.device_type);
    let index = segloss::adapters()?.iter().filter(alike).position(|info| info == wanted).unwrap_or_default();
    let kind = match wanted.device_type {
        wgpu::DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(index),
        wgpu::DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(index),
        wgpu::DeviceType::VirtualGpu => DeviceKind::VirtualGpu(index),
        wgpu::DeviceType::Cpu => DeviceKind::Cpu,
        // For these it has no name.
        wgpu::DeviceType::Other => DeviceKind::DefaultDevice,
    };
    let (device, setup) = Device::wgpu_options().graphics_api(api).device_kind(kind).init_with_setup()?;
    Ok((device, setup.device.adapter_info()))
}

/// Burn with a problem's data on its device.
pub(crate) struct Burn {
    device: Device,
    logits: [Tensor<3>; 2],
    targets: Tensor<3>,
    gradient: Option<Tensor<3>>,
}

impl Burn {
    /// Uploads the data.
    pub(crate) fn new(device: &Device, inputs: &Inputs, direction: Direction) -> Self {
        let upload = |data: &Vec<f32>| {
            let tensor = Tensor::from_data(TensorData::new(data.clone(), [1, 1, data.len()]), device);
            if direction == Direction::ForwardAndGradient { tensor.autodiff() } else { tensor }
        };
        let [first, second] = &inputs.logits;
        let logits = [first, second].map(upload);
        let logits = if direction == Direction::Forward { logits } else { logits.map(Tensor::require_grad) };
        let targets = upload(&inputs.targets);
        device.sync().expect("the device takes the data");
        Self { device: device.clone(), logits, targets, gradient: None }
    }
}

impl Peer for Burn {
    fn evaluate(&mut self, direction: Direction, set: usize) -> f32 {
        let logits = &self.logits[set];
        let loss = dice_loss(logits.clone(), self.targets.clone());
        if direction == Direction::Forward {
            return loss.into_scalar();
        }
        // The earlier one makes room.
        self.gradient = None;
        let mut gradients = loss.backward();
        self.gradient = logits.grad_remove(&mut gradients);
        let value = loss.into_scalar();
        self.device.sync().expect("the device computes the gradient");
        value
    }

    fn gradient(&self) -> Vec<f32> {
        let gradient = self.gradient.clone().expect("an evaluation with gradient came first");
        gradient.into_data().try_into_vec().expect("a gradient of f32")
    }
}

/// 1 − (2I + 1)/(P + T + 1).
///
/// By `sum` over everything. (On llvmpipe a row of 2¹⁹ or more is summed up wrong by `sum_dim`, and through GL by `sum`,
/// too: the loss is off by 2e-4, which is not let pass.)
fn dice_loss(logits: Tensor<3>, targets: Tensor<3>) -> Tensor<1> {
    let probabilities = sigmoid(logits);
    let intersection = (probabilities.clone() * targets.clone()).sum();
    let cardinalities = probabilities.sum() + targets.sum();
    1.0 - (intersection * 2.0 + 1.0) / (cardinalities + 1.0)
}
