//! Any peer's loss or metric, by its name.

use super::{keras, kornia, metric, monai, nnunet, pytorch, smp, tensorlayer, torchmetrics};

/// Passes the trait's functions on to whichever variant there is.
macro_rules! loss_of_variants {
    ($recipe:ident: $($variant:ident),+) => {
        impl $crate::peers::Peer for $recipe {
            fn loss(&self, problem: &$crate::Problem) -> Result<$crate::Loss, $crate::Error> {
                match self {
                    $(Self::$variant(loss) => loss.loss(problem),)+
                }
            }

            fn result_shape(&self, problem: &$crate::Problem) -> Option<Vec<usize>> {
                match self {
                    $(Self::$variant(loss) => loss.result_shape(problem),)+
                }
            }
        }
    };
}
pub(super) use loss_of_variants;

/// Declares the enum of a peer's losses or metrics: one variant per class or function, under the peer's name for it.
macro_rules! named {
    ($(#[$doc:meta])* $recipe:ident: $($variant:ident = $name:literal),+) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(
            feature = "serde",
            derive(serde::Serialize, serde::Deserialize),
            serde(tag = "loss", content = "params", deny_unknown_fields)
        )]
        #[non_exhaustive]
        pub enum $recipe {
            $(
                #[doc = concat!("`", $name, "`")]
                #[cfg_attr(feature = "serde", serde(rename = $name))]
                $variant($variant),
            )+
        }

        impl $recipe {
            /// The peer's names for them.
            pub const NAMES: &[&str] = &[$($name),+];
        }
    };
}
pub(super) use named;

/// Declares a peer's `Recipe`.
macro_rules! recipes {
    ($(#[$doc:meta])* $($variant:ident = $name:literal),+ $(,)?) => {
        $crate::peers::recipe::named!($(#[$doc])* Recipe: $($variant = $name),+);
        $crate::peers::recipe::loss_of_variants!(Recipe: $($variant),+);
    };
}
pub(super) use recipes;

/// Declares the enum of all peers' losses or metrics: one variant per peer, which holds the peer's own enum.
macro_rules! of_peers {
    ($(#[$doc:meta])* $recipe:ident: $($(#[$whose:meta])* $variant:ident = $name:literal in $module:ident,)+) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(tag = "peer"))]
        #[non_exhaustive]
        pub enum $recipe {
            $(
                $(#[$whose])*
                #[cfg_attr(feature = "serde", serde(rename = $name))]
                $variant($module::$recipe),
            )+
        }

        impl $recipe {
            /// Every peer as it is written down, and the names that there are of it.
            pub const NAMES: &[(&str, &[&str])] = &[$(($name, $module::$recipe::NAMES)),+];
        }
    };
}

of_peers! {
    /// Any peer's loss, as it is written down: `{"peer": …, "loss": …, "params": {…}}`.
    ///
    /// With the feature `serde`, unknown peers, losses and parameters are errors.
    Recipe:
    /// PyTorch, and its classic formulations.
    PyTorch = "pytorch" in pytorch,
    /// Keras, and its classic formulations.
    Keras = "keras" in keras,
    /// TensorLayer's coefficients.
    TensorLayer = "tensorlayer" in tensorlayer,
    /// MONAI's losses.
    Monai = "monai" in monai,
    /// nnU-Net's losses.
    NnUnet = "nnunet" in nnunet,
    /// segmentation_models.pytorch's losses.
    Smp = "smp" in smp,
    /// kornia's losses.
    Kornia = "kornia" in kornia,
}
loss_of_variants!(Recipe: PyTorch, Keras, TensorLayer, Monai, NnUnet, Smp, Kornia);

of_peers! {
    /// Any peer's metric, as it is written down: `{"peer": …, "loss": …, "params": {…}}`, `loss` being the metric's name.
    ///
    /// With the feature `serde`, unknown peers, metrics and parameters are errors.
    MetricRecipe:
    /// MONAI.
    Monai = "monai" in monai,
    /// TorchMetrics.
    TorchMetrics = "torchmetrics" in torchmetrics,
}
metric::metric_of_variants!(MetricRecipe: Monai, TorchMetrics);
