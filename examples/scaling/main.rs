//! How time grows with the number of voxels, beside a plain copy.
//!
//! `cargo run --release --example scaling` measures soft Dice from logits at 2^12 to 2^28 voxels (as far as the device's buffers
//! reach) on the adapter that `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` choose, prints the times and draws
//! `docs/scaling.svg` (or the path given as an argument). Every size is compared with the reference before it is timed.

#[path = "../gradient_diagnostics/chart.rs"]
mod chart;

use chart::{Panel, Series, draw};
use plotters::prelude::SeriesLabelPosition::UpperLeft;
use segloss::Gpu;
use segloss_bench::{Direction, cases, measure};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let gpu = Gpu::new()?;
    let case = &cases()[0];
    println!("{} on {} ({})\n", case.name, gpu.adapter_info().name, gpu.adapter_info().backend);
    println!("{:>8}{:>14}{:>20}{:>26}", "voxels", "forward ms", "forward+gradient ms", "copy of as many bytes ms");
    let names = ["forward", "forward and gradient", "a copy of as many bytes"];
    let mut series = names.map(|name| Series { name: name.to_owned(), points: vec![] });
    for power in 12..=28 {
        let rows = match measure(&gpu, case, 1 << power) {
            Ok(measured) => measured.rows,
            Err(failure) if failure.is_too_large() => break,
            Err(failure) => return Err(failure.into()),
        };
        let time = |direction| {
            let row = rows.iter().find(|row| row.direction == direction);
            row.map_or((f64::NAN, f64::NAN), |row| {
                let own = row.device_ms.unwrap_or(row.wall_ms);
                (own, own * row.share_of_copy)
            })
        };
        let ((forward, _), (both, copy)) = (time(Direction::Forward), time(Direction::Both));
        println!("{:>8}{forward:>14.3}{both:>20.3}{copy:>26.3}", format!("2^{power}"));
        for (series, ms) in series.iter_mut().zip([forward, both, copy]) {
            series.points.push((f64::from(1 << power), ms));
        }
    }
    let path = std::env::args().nth(1).unwrap_or_else(|| "docs/scaling.svg".to_owned());
    let panel = Panel {
        title: "milliseconds by voxels, soft Dice from logits",
        x: "voxels",
        log: [true, true],
        legend: UpperLeft,
        series: series.into(),
    };
    draw(&path, &[panel])?;
    println!("\nthe picture is {path}");
    Ok(())
}
