//! The page.

use segloss::peers::{MetricRecipe, Recipe};

use crate::fixtures::Fixtures;
use crate::losses::Rows;
use crate::markdown::table;
use crate::metrics;

pub(crate) fn page() -> String {
    let rows = Rows::of_all();
    [
        HEAD,
        &table(&["Peer", "Version", "Axes", "Losses and metrics, and their cases"], &peers()),
        OVERLAP,
        &table(&Rows::overlap_columns(), &rows.overlap),
        POINTWISE,
        &table(&Rows::pointwise_columns(), &rows.pointwise),
        REFUSED,
        &table(&["Peer", "Loss", "Reason"], &rows.refused),
        MISSING,
        METRICS,
        &table(&metrics::COLUMNS, &metrics::rows()),
    ]
    .concat()
}

const HEAD: &str = "\
# The peers' conventions

Made from the code by `tests/peers_table`, which fails where this page says anything else. The porting guide,
`docs/porting.md`, shows how each peer is called.

A peer's name is that of its module in `segloss::peers` and of recipes in JSON. The version is the one whose own numbers are
compared with, in so many cases for each loss or metric; where there are none, closed forms stand in their place, and the
lines of the porting guide.

";

const OVERLAP: &str = "
## Ratios of overlap

With the peer's defaults, of a problem `[2, 3, 4, 5]`; arguments are named where a peer has no default for them or where its own
is refused. A struct of another name than the peer's stands beside it.

* *Targets* are dense (a number for every class), labels, or either; \"but −100\" is what does not count.
* *p* is what becomes of the input x. *Classes* are those that take part.
* *Pooled* is what is added up before the ratio is taken: nothing, the samples, the classes of a sample, or everything.
* I = Σ p·t, P = Σ p and T = Σ t, of what is pooled. What is *added* stands as above / below; \"at least\" is said of the
  denominator.
* *Value* is what becomes of s, and *empty target* what it is where T = 0. The *result* is what becomes of the values. \"By Σw\":
  class weights, where they are given, divide the mean.

";

const POINTWISE: &str = "
## Sums over voxels

ℓ = −t·ln p − (1−t)·ln(1−p) is the cross-entropy of one class by itself; an *element* is a voxel of a class. Means are taken of
what is *pooled*, everything by default, and then averaged.

";

const REFUSED: &str = "
## Refused with the peer's own defaults

";

const MISSING: &str = "
## Not here

What is no function of sums over voxels: the losses of Lovász (`smp.LovaszLoss`, `kornia.LovaszSoftmaxLoss` and
`LovaszHingeLoss`) and nnU-Net's `TopKLoss`, which sort voxels; MONAI's of distances, contours and images (`HausdorffDTLoss`,
`SoftclDiceLoss` and others). MONAI's `AsymmetricUnifiedFocalLoss` and its metric `FBetaScore` are such functions; they have not been
built.
";

const METRICS: &str = "
## Metrics of masks

*Nothing in p and t* and *nothing in t* say what a sample scores without a voxel in either mask, or in the target alone.

";

/// A row for every peer.
fn peers() -> Vec<Vec<String>> {
    let fixtures = Fixtures::read();
    let mut peers: Vec<(&str, Vec<&str>)> = vec![];
    for (peer, names) in Recipe::NAMES.iter().chain(MetricRecipe::NAMES) {
        match peers.iter_mut().find(|(known, _)| known == peer) {
            Some((_, list)) => list.extend(*names),
            None => peers.push((peer, names.to_vec())),
        }
    }
    let cell = |peer: &str, name: &&str| format!("`{name}` {}", fixtures.cases(peer, name));
    let row = |(peer, names): &(&str, Vec<&str>)| {
        let names: Vec<_> = names.iter().map(|name| cell(peer, name)).collect();
        vec![(*peer).to_owned(), fixtures.version(peer).to_owned(), fixtures.layout(peer).to_owned(), names.join(", ")]
    };
    peers.iter().map(row).collect()
}
