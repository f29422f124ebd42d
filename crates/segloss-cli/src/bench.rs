//! `segloss bench`: how fast losses are on an adapter.

use segloss::Gpu;
use segloss_bench::{Direction, Row, cases, measure};

use crate::args::{Bench, Format};
use crate::engine;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::report::{json, table, thousands};

pub(crate) fn run(args: &Bench, adapter: Option<&str>) -> Result<String, Failure> {
    let gpu = Gpu::with_adapter(&engine::choice(adapter)?)?;
    let mut cases = cases();
    if let Some(part) = &args.case {
        cases.retain(|case| case.name.contains(part.as_str()));
    }
    if cases.is_empty() {
        let names: Vec<_> = segloss_bench::cases().iter().map(|case| case.name).collect();
        return Err(Failure::new(format!("no case has that in its name; there are {}", names.join(", "))));
    }
    let bar = Bar::new(cases.len() * args.voxels.len());
    let (mut rows, mut first_use_ms) = (vec![], 0.0_f64);
    for (case, power) in cases.iter().flat_map(|case| args.voxels.iter().map(move |power| (case, power))) {
        bar.step(format!("{} at 2^{power} voxels", case.name));
        match case.fits(1 << power, args.memory << 30).and_then(|()| measure(&gpu, case, 1 << power)) {
            Ok(measured) => {
                rows.extend(measured.rows);
                first_use_ms = first_use_ms.max(measured.first_use_ms);
            }
            Err(error) if error.is_too_large() => {
                bar.say(&format!("segloss: {} at 2^{power} voxels is left out: {error}", case.name));
            }
            Err(error) => return Err(Failure::new(error.to_string())),
        }
    }
    drop(bar);
    if rows.is_empty() {
        return Err(Failure::new("no case fits this adapter's buffers and --memory; ask for fewer voxels".to_owned()));
    }
    match args.format {
        Format::Json => json(&rows),
        Format::Table => Ok(text(&gpu, &rows, first_use_ms)),
    }
}

fn text(gpu: &Gpu, rows: &[Row], first_use_ms: f64) -> String {
    let info = gpu.adapter_info();
    let head = ["case", "voxels", "direction", "device ms", "wall ms", "GB/s", "of copy", "extra bytes", "logit reads"];
    let line = |row: &Row| {
        let direction = match row.direction {
            Direction::Forward => "forward",
            Direction::Gradient => "gradient",
            Direction::Both => "both",
        };
        [
            row.case.to_owned(),
            format!("2^{}", row.voxels.ilog2()),
            direction.to_owned(),
            row.device_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.3}")),
            format!("{:.3}", row.wall_ms),
            format!("{:.2}", row.gb_per_s),
            format!("{:.0} %", 100.0 * row.share_of_copy),
            thousands(row.extra_device_bytes),
            row.logit_reads.to_string(),
        ]
    };
    let body = table(std::iter::once(head.map(str::to_owned)).chain(rows.iter().map(line)));
    let adapter = format!("{} ({}, {}), {:?} reducer", info.name, info.backend, info.driver_info, gpu.reducer());
    format!("{adapter}\n\n{body}\nfirst use: planning value and gradient of a case took up to {first_use_ms:.0} ms\n")
}
