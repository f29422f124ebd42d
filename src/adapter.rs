//! Which adapter to use.

use crate::Error;

/// How an adapter is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdapterChoice {
    /// By the environment variable `WGPU_ADAPTER_NAME` (a part of the name, case ignored) if it is set, else the best:
    /// discrete before integrated before virtual before software, and native APIs before GL.
    #[default]
    Auto,
    /// The best whose name contains this, case ignored.
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

/// The adapters of this machine that can run compute shaders. `WGPU_BACKEND` (such as `vulkan`, or `vulkan,gl`)
/// restricts the list.
///
/// # Errors
/// [`Error::UnknownBackend`] if `WGPU_BACKEND` names a backend that wgpu does not know.
#[cfg(not(target_arch = "wasm32"))]
pub fn adapters() -> Result<Vec<wgpu::AdapterInfo>, Error> {
    Ok(pollster::block_on(enumerate())?.iter().map(wgpu::Adapter::get_info).collect())
}

/// Chooses from a list of adapters.
///
/// # Errors
/// [`Error::NoAdapter`] if none fits, with what was wanted and what there is; [`Error::UnknownBackend`].
pub fn choose(adapters: &[wgpu::AdapterInfo], choice: &AdapterChoice) -> Result<Choice, Error> {
    let best = |wanted: &str| {
        let wanted = wanted.to_lowercase();
        let named = |&index: &usize| adapters[index].name.to_lowercase().contains(&wanted);
        (0..adapters.len()).filter(named).min_by_key(|&index| rank(&adapters[index]))
    };
    let variable = variable("WGPU_ADAPTER_NAME");
    let (index, reason, wanted) = match (choice, &variable) {
        (AdapterChoice::Name(name), _) => {
            (best(name), format!("its name contains {name:?}"), format!("whose name contains {name:?}"))
        }
        (AdapterChoice::Index(index), _) => (
            (*index < adapters.len()).then_some(*index),
            format!("index {index} was asked for"),
            format!("with index {index}"),
        ),
        (AdapterChoice::Auto, Some(name)) => (
            best(name),
            format!("WGPU_ADAPTER_NAME is {name:?}"),
            format!("whose name contains {name:?} (WGPU_ADAPTER_NAME)"),
        ),
        (AdapterChoice::Auto, None) => {
            let index = best("");
            let reason = index.map(|index| reason(&adapters[index])).unwrap_or_default();
            (index, reason, "that runs compute shaders".to_owned())
        }
    };
    match index {
        Some(index) => Ok(Choice { index, reason }),
        None => Err(missing(wanted, adapters, Restriction::from_env()?)),
    }
}

fn missing(wanted: String, adapters: &[wgpu::AdapterInfo], restriction: Option<Restriction>) -> Error {
    let advice = match &restriction {
        _ if !adapters.is_empty() => None,
        Some(restriction) if !restriction.backends.contains(wgpu::Backends::VULKAN) => {
            Some("Without WGPU_BACKEND every backend is searched")
        }
        _ => Some("On a machine without a GPU install Mesa's software driver (Debian: mesa-vulkan-drivers)"),
    };
    let restricted = restriction.map_or(String::new(), |given| format!(" for WGPU_BACKEND={}", given.variable));
    Error::NoAdapter { wanted: wanted + &restricted, found: list(adapters), advice }
}

pub(crate) async fn enumerate() -> Result<Vec<wgpu::Adapter>, Error> {
    let unrestricted = wgpu::InstanceDescriptor::new_without_display_handle();
    let backends = Restriction::from_env()?.map_or(unrestricted.backends, |restriction| restriction.backends);
    let descriptor = wgpu::InstanceDescriptor { backends, ..unrestricted.with_env() };
    let mut adapters = wgpu::Instance::new(descriptor).enumerate_adapters(backends).await;
    adapters.retain(|adapter| {
        adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS)
            && adapter.limits().max_storage_buffers_per_shader_stage > 0
    });
    Ok(adapters)
}

/// An environment variable, if it says anything.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.to_string_lossy().trim().to_owned();
    (!value.is_empty()).then_some(value)
}

/// The backends that `WGPU_BACKEND` leaves.
#[derive(Debug, PartialEq)]
struct Restriction {
    variable: String,
    backends: wgpu::Backends,
}

impl Restriction {
    fn from_env() -> Result<Option<Self>, Error> {
        variable("WGPU_BACKEND").map(Self::parse).transpose()
    }

    /// Reads names with commas between them. (wgpu itself leaves out those it does not know.)
    fn parse(variable: String) -> Result<Self, Error> {
        let unknown = |name: &&str| wgpu::Backends::from_comma_list(name).is_empty();
        match variable.split(',').find(unknown) {
            Some(name) => Err(Error::UnknownBackend { name: name.trim().to_owned() }),
            None => Ok(Self { backends: wgpu::Backends::from_comma_list(&variable), variable }),
        }
    }
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
    #[test]
    fn among_several_of_a_name_the_best_is_chosen() {
        let list = [
            info("Radeon 7900", wgpu::DeviceType::DiscreteGpu, wgpu::Backend::Gl),
            info("Radeon 780M", wgpu::DeviceType::IntegratedGpu, wgpu::Backend::Vulkan),
            info("Radeon 7900", wgpu::DeviceType::DiscreteGpu, wgpu::Backend::Vulkan),
        ];
        let chosen = |name: &str| choose(&list, &AdapterChoice::Name(name.into())).unwrap().index;
        assert_eq!((chosen("radeon"), chosen("78")), (2, 1));
    }

    #[test]
    fn what_restricts_the_list_is_named_and_the_advice_fits_it() {
        let restriction = |names: &str| Restriction::parse(names.to_owned());
        let message = |names, adapters: &[_]| {
            missing("with index 7".to_owned(), adapters, Some(restriction(names).unwrap())).to_string()
        };
        let expected = "no GPU adapter with index 7 for WGPU_BACKEND=gl; found: none. \
            Without WGPU_BACKEND every backend is searched";
        assert_eq!(message("gl", &[]), expected);
        assert!(message("gl, VK", &[]).ends_with("(Debian: mesa-vulkan-drivers)"), "{}", message("gl, VK", &[]));
        let there = [info("llvmpipe", wgpu::DeviceType::Cpu, wgpu::Backend::Gl)];
        let expected = "no GPU adapter with index 7 for WGPU_BACKEND=gl; found: llvmpipe (gl)";
        assert_eq!(message("gl", &there), expected);
        let error = restriction("gl,vulcan").unwrap_err();
        assert_eq!(error, Error::UnknownBackend { name: "vulcan".into() });
        let expected = "WGPU_BACKEND names the unknown backend \"vulcan\"; give vulkan, metal, dx12 or gl, or several \
            with commas between them";
        assert_eq!(error.to_string(), expected);
    }
}
