//! Compiles an HLSL compute shader to DXIL with Microsoft's compiler, a shared library: `segloss-dxc LIBRARY ENTRY_POINT SHADER`.

use std::path::PathBuf;
use std::process::ExitCode;

use hassle_rs::{Dxc, HassleError};

/// The shader model that wgpu asks for at least.
const PROFILE: &str = "cs_6_0";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, entry_point, shader] = &arguments[..] else {
        eprintln!("usage: segloss-dxc LIBRARY ENTRY_POINT SHADER");
        return ExitCode::from(2);
    };
    match compile(library.into(), entry_point, shader) {
        Ok(bytes) => {
            println!("{bytes} bytes of DXIL");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// The size of what the shader becomes, or what the compiler says against it.
fn compile(library: PathBuf, entry_point: &str, shader: &str) -> Result<usize, String> {
    let text = std::fs::read_to_string(shader).map_err(|error| format!("{shader}: {error}"))?;
    let said = |error: HassleError| error.to_string();
    let dxc = Dxc::new(Some(library)).map_err(said)?;
    let (compiler, files) = (dxc.create_compiler().map_err(said)?, dxc.create_library().map_err(said)?);
    let source = files.create_blob_with_encoding_from_str(&text).map_err(said)?;
    match compiler.compile(&source, shader, entry_point, PROFILE, &["-HV", "2018", "-no-warnings"], None, &[]) {
        Ok(result) => Ok(result.get_result().map_err(said)?.to_vec::<u8>().len()),
        Err((result, _)) => {
            let errors = result.get_error_buffer().map_err(said)?;
            Err(files.get_blob_as_string(&errors.into()).map_err(said)?)
        }
    }
}
