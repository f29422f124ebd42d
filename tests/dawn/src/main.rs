//! Writes into a folder what segloss asks of a device, case by case, and what the f64 reference expects to find afterwards.
//!
//! Nothing runs here: the device is wgpu's that only validates. `scripts/dawn` runs the cases on Dawn.

#[path = "../../gpu/buffers.rs"]
#[allow(dead_code, unused_imports, reason = "the tests there are the others that use it")]
mod buffers;
#[path = "../../gpu/columns.rs"]
#[allow(dead_code, unused_imports, reason = "the tests there are the others that use it")]
mod columns;
#[path = "../../gpu/data.rs"]
#[allow(dead_code, reason = "the tests there are the others that use it")]
mod data;
#[path = "../../device/mod.rs"]
#[allow(dead_code, reason = "the tests there are the others that use it")]
mod device;
#[path = "../../gpu/formats.rs"]
#[allow(dead_code, unused_imports, reason = "the tests there are the others that use it")]
mod formats;
#[path = "../../gpu/label_maps.rs"]
#[allow(dead_code, reason = "the tests there are the others that use it")]
mod label_maps;
#[path = "../../gpu/shares.rs"]
#[allow(dead_code, unused_imports, reason = "the tests there are the others that use it")]
mod shares;

mod arrangement;
mod cases;
mod context;
mod expectation;
mod record;

use std::path::PathBuf;

use crate::record::Recorder;

fn main() {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: segloss-dawn FOLDER, an empty one or one that is not there yet");
        std::process::exit(2);
    };
    let mut recorder = Recorder::new(&folder);
    cases::record(&mut recorder);
    println!("{} cases recorded", recorder.cases());
}
