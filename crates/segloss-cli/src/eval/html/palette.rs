//! The colours of what prediction and truth say of a pixel.
//!
//! Any two can be told apart with any common colour blindness, and by their brightness alone: from the background to
//! the confused classes they grow ever lighter.

use crate::eval::case::Agreement;

/// From the darkest to the lightest.
pub(super) const AGREEMENTS: [Agreement; 5] =
    [Agreement::Neither, Agreement::Both, Agreement::Prediction, Agreement::Truth, Agreement::Confused];

/// Red, green and blue as sRGB has them.
pub(super) fn colour(agreement: Agreement) -> [u8; 3] {
    match agreement {
        Agreement::Neither => [0x14, 0x17, 0x1a],
        Agreement::Both => [0x66, 0x6d, 0x74],
        Agreement::Prediction => [0xee, 0x6a, 0x10],
        Agreement::Truth => [0x5a, 0xb4, 0xf5],
        Agreement::Confused => [0xf7, 0xef, 0x8a],
    }
}

/// As CSS and SVG write it.
pub(super) fn hexadecimal(agreement: Agreement) -> String {
    let [red, green, blue] = colour(agreement);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// As the legend says it.
pub(super) fn label(agreement: Agreement) -> &'static str {
    match agreement {
        Agreement::Neither => "neither",
        Agreement::Both => "both",
        Agreement::Prediction => "prediction only (FP)",
        Agreement::Truth => "truth only (FN)",
        Agreement::Confused => "another class",
    }
}

/// All that is not background, with swatches.
pub(super) fn legend() -> String {
    let entry = |agreement: &Agreement| {
        let (colour, label) = (hexadecimal(*agreement), label(*agreement));
        format!(
            "<li><svg width=\"14\" height=\"14\" aria-hidden=\"true\">\
             <rect width=\"14\" height=\"14\" fill=\"{colour}\"/></svg> {label}</li>"
        )
    };
    format!("<ul class=\"legend\">{}</ul>\n", AGREEMENTS[1..].iter().map(entry).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Matrix = [[f64; 3]; 3];

    /// What is seen of linear RGB, by Machado, Oliveira and Fernandes (2009) at severity 1.
    const VISIONS: [(&str, Matrix); 4] = [
        ("full", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (
            "protanopia",
            [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        ),
        (
            "deuteranopia",
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        ),
        (
            "tritanopia",
            [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
        ),
    ];

    /// CIE XYZ of linear sRGB under D65.
    const XYZ: Matrix =
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]];

    fn product(matrix: &Matrix, [x, y, z]: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| row[0] * x + row[1] * y + row[2] * z)
    }

    fn linear(agreement: Agreement) -> [f64; 3] {
        colour(agreement).map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn lab(rgb: [f64; 3]) -> [f64; 3] {
        let root = |share: f64| {
            if share > 216.0 / 24389.0 { share.cbrt() } else { (24389.0 / 27.0 * share + 16.0) / 116.0 }
        };
        let [x, y, z] = product(&XYZ, rgb.map(|channel| channel.clamp(0.0, 1.0)));
        let [x, y, z] = [root(x / 0.95047), root(y), root(z / 1.08883)];
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
        a.into_iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    /// Of WCAG: 1 of equal colours, 21 of black and white.
    fn contrast(light: Agreement, dark: Agreement) -> f64 {
        let [light, dark] = [light, dark].map(|agreement| product(&XYZ, linear(agreement))[1] + 0.05);
        light / dark
    }

    #[test]
    fn the_conversion_is_that_of_cie() {
        assert!(distance(lab([1.0; 3]), [100.0, 0.0, 0.0]) < 0.01);
        // sRGB's red.
        assert!(distance(lab([1.0, 0.0, 0.0]), [53.24, 80.09, 67.20]) < 0.05);
    }

    /// A difference of 2.3 is just seen.
    #[test]
    fn any_two_colours_differ_for_everyone() {
        for (vision, matrix) in VISIONS {
            for (index, a) in AGREEMENTS.into_iter().enumerate() {
                for b in AGREEMENTS.into_iter().skip(index + 1) {
                    let [seen_a, seen_b] = [a, b].map(|agreement| lab(product(&matrix, linear(agreement))));
                    let distance = distance(seen_a, seen_b);
                    assert!(distance > 30.0, "{a:?} and {b:?} are {distance:.1} apart with {vision}");
                }
            }
        }
    }

    #[test]
    fn each_is_lighter_than_the_one_before() {
        for pair in AGREEMENTS.windows(2) {
            assert!(contrast(pair[1], pair[0]) > 1.35, "{pair:?}");
        }
        for agreement in &AGREEMENTS[1..] {
            assert!(contrast(*agreement, Agreement::Neither) > 3.0, "{agreement:?}");
        }
    }
}
