//! Which adapter to use.

use crate::Error;

/// How an adapter is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdapterChoice {
    /// By the environment variable `WGPU_ADAPTER_NAME` (a part of the name, case ignored) if it is set, else the best:
    /// discrete before integrated before virtual before software, and native APIs before GL.
    #[default]
    Auto,
    /// The first whose name contains this, case ignored.
    Name(String),
    /// By its position in [`adapters`].
    Index(usize),
}

/// A chosen adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its position in the list it was chosen from.
    pub index: usize,
    /// Why, in a few words.
    pub reason: String,
}

/// The adapters of this machine that can run compute shaders. `WGPU_BACKEND` (such as `vulkan` or `gl`) restricts
/// the list.
#[cfg(not(target_arch = "wasm32"))]
#[must_use]
pub fn adapters() -> Vec<wgpu::AdapterInfo> {
    pollster::block_on(enumerate()).iter().map(wgpu::Adapter::get_info).collect()
}

/// Chooses from a list of adapters.
///
/// # Errors
/// [`Error::NoAdapter`] if none fits, with what was wanted and what there is.
pub fn choose(adapters: &[wgpu::AdapterInfo], choice: &AdapterChoice) -> Result<Choice, Error> {
    let named = |name: &str| {
        let wanted = name.to_lowercase();
        adapters.iter().position(|info| info.name.to_lowercase().contains(&wanted))
    };
    let missing = |wanted: String| Error::NoAdapter { wanted, found: list(adapters) };
    match choice {
        AdapterChoice::Name(name) => named(name)
            .map(|index| Choice { index, reason: format!("its name contains {name:?}") })
            .ok_or_else(|| missing(format!("whose name contains {name:?}"))),
        AdapterChoice::Index(index) if *index < adapters.len() => {
            Ok(Choice { index: *index, reason: format!("index {index} was asked for") })
        }
        AdapterChoice::Index(index) => Err(missing(format!("with index {index}"))),
        AdapterChoice::Auto => match std::env::var("WGPU_ADAPTER_NAME") {
            Ok(name) if !name.is_empty() => named(&name)
                .map(|index| Choice { index, reason: format!("WGPU_ADAPTER_NAME is {name:?}") })
                .ok_or_else(|| missing(format!("whose name contains {name:?} (WGPU_ADAPTER_NAME)"))),
            _ => (0..adapters.len())
                .min_by_key(|&index| rank(&adapters[index]))
                .map(|index| Choice { index, reason: reason(&adapters[index]) })
                .ok_or_else(|| missing(backend_wanted())),
        },
    }
}

pub(crate) async fn enumerate() -> Vec<wgpu::Adapter> {
    let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    let backends = descriptor.backends;
    let mut adapters = wgpu::Instance::new(descriptor).enumerate_adapters(backends).await;
    adapters.retain(|adapter| {
        adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS)
            && adapter.limits().max_storage_buffers_per_shader_stage > 0
    });
    adapters
}

fn rank(info: &wgpu::AdapterInfo) -> (u8, u8) {
    let device = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    };
    (device, u8::from(info.backend == wgpu::Backend::Gl))
}

fn reason(info: &wgpu::AdapterInfo) -> String {
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => "a discrete GPU",
        wgpu::DeviceType::IntegratedGpu => "an integrated GPU",
        wgpu::DeviceType::VirtualGpu => "a virtual GPU",
        wgpu::DeviceType::Other => "a GPU of unknown kind",
        wgpu::DeviceType::Cpu => "a software adapter",
    };
    format!("the best there is: {kind} through {}", info.backend)
}

fn backend_wanted() -> String {
    match std::env::var("WGPU_BACKEND") {
        Ok(backend) if !backend.is_empty() => format!("for WGPU_BACKEND={backend}"),
        _ => "that runs compute shaders".to_owned(),
    }
}

fn list(adapters: &[wgpu::AdapterInfo]) -> String {
    if adapters.is_empty() {
        return "none".to_owned();
    }
    adapters.iter().map(|info| format!("{} ({})", info.name, info.backend)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str, device_type: wgpu::DeviceType, backend: wgpu::Backend) -> wgpu::AdapterInfo {
        wgpu::AdapterInfo { name: name.to_owned(), ..wgpu::AdapterInfo::new(device_type, backend) }
    }

    #[test]
    fn choices_are_explained_and_misses_list_what_there_is() {
        let list = [
            info("llvmpipe (LLVM)", wgpu::DeviceType::Cpu, wgpu::Backend::Gl),
            info("llvmpipe (LLVM)", wgpu::DeviceType::Cpu, wgpu::Backend::Vulkan),
            info("Radeon", wgpu::DeviceType::IntegratedGpu, wgpu::Backend::Vulkan),
        ];
        let name = AdapterChoice::Name("radeon".into());
        assert_eq!(choose(&list, &name).unwrap().index, 2);
        assert_eq!(choose(&list, &AdapterChoice::Index(1)).unwrap().index, 1);
        let error = choose(&list[..2], &name).unwrap_err().to_string();
        assert!(error.contains("\"radeon\"") && error.contains("llvmpipe (LLVM) (gl)"), "{error}");
        assert!(choose(&list, &AdapterChoice::Index(3)).is_err());
        assert!(choose(&[], &AdapterChoice::Auto).unwrap_err().to_string().contains("found: none"));
        assert!(rank(&list[1]) < rank(&list[0]) && rank(&list[2]) < rank(&list[1]));
    }
}
