//! `segloss adapters`: what there is, and why one was chosen.

use serde::Serialize;

use crate::args::{Adapters, Format};
use crate::engine::choice;
use crate::failure::Failure;
use crate::report;

#[derive(Serialize)]
struct Listing {
    adapters: Vec<Entry>,
    chosen: Option<usize>,
    reason: String,
}

#[derive(Serialize)]
struct Entry {
    index: usize,
    name: String,
    backend: String,
    kind: String,
    driver: String,
}

pub(crate) fn run(args: &Adapters, adapter: Option<&str>) -> Result<String, Failure> {
    let listing = list(adapter)?;
    match args.format {
        Format::Json => report::json(&listing),
        Format::Table => Ok(table(&listing)),
    }
}

fn list(adapter: Option<&str>) -> Result<Listing, Failure> {
    let infos = segloss::adapters()?;
    let choice = match segloss::choose(&infos, &choice(adapter)?) {
        Err(segloss::Error::NoAdapter { wanted, .. }) if infos.is_empty() && adapter.is_none() => {
            let reason = format!("no GPU adapter {wanted}; evaluations run on the CPU with the reference");
            return Ok(Listing { adapters: vec![], chosen: None, reason });
        }
        choice => choice?,
    };
    let entry = |(index, info): (usize, &segloss::wgpu::AdapterInfo)| Entry {
        index,
        name: info.name.clone(),
        backend: info.backend.to_string(),
        kind: format!("{:?}", info.device_type),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
    };
    let adapters = infos.iter().enumerate().map(entry).collect();
    Ok(Listing { adapters, chosen: Some(choice.index), reason: choice.reason })
}

fn table(listing: &Listing) -> String {
    let heading = ["", "index", "name", "backend", "kind", "driver"].map(str::to_owned);
    let row = |entry: &Entry| {
        let mark = if listing.chosen == Some(entry.index) { "*" } else { "" };
        let index = entry.index.to_string();
        [mark, &index, &entry.name, &entry.backend, &entry.kind, &entry.driver].map(str::to_owned)
    };
    match listing.chosen {
        None => format!("{}\n", listing.reason),
        Some(_) => {
            let rows = std::iter::once(heading).chain(listing.adapters.iter().map(row));
            format!("{}\n* is used: {}\n", report::table(rows), listing.reason)
        }
    }
}
