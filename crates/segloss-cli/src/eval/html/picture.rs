//! A slice as a PNG.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::eval::case::{Agreement, Slice};

use super::palette::{AGREEMENTS, colour};

/// How much of what is cut out lies around the masks, on every side.
const MARGIN: f64 = 0.12;

/// The part of a slice in which there is anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
}

impl Window {
    /// `None` of a slice without pixels; all of one without masks.
    pub(super) fn of(slice: &Slice) -> Option<Self> {
        if slice.width == 0 || slice.height == 0 || slice.pixels.len() != slice.width * slice.height {
            return None;
        }
        let marked = || (0..slice.pixels.len()).filter(|pixel| slice.pixels[*pixel] != Agreement::Neither);
        let columns = || marked().map(|pixel| pixel % slice.width);
        let rows = || marked().map(|pixel| pixel / slice.width);
        let bounds = columns().min().zip(columns().max()).zip(rows().min().zip(rows().max()));
        let Some(((left, right), (top, bottom))) = bounds else {
            return Some(Self { columns: 0..slice.width, rows: 0..slice.height });
        };
        let (width, height) = (right + 1 - left, bottom + 1 - top);
        let margin = ((width.max(height) as f64 * MARGIN).ceil() as usize).max(2);
        let grown = |first: usize, last: usize, end: usize| first.saturating_sub(margin)..(last + 1 + margin).min(end);
        Some(Self { columns: grown(left, right, slice.width), rows: grown(top, bottom, slice.height) })
    }

    /// Width and height as they are seen, in widths of a pixel.
    pub(super) fn size(&self, slice: &Slice) -> [f64; 2] {
        let aspect = if slice.aspect.is_finite() && slice.aspect > 0.0 { slice.aspect } else { 1.0 };
        [self.columns.len() as f64, self.rows.len() as f64 * aspect]
    }

    /// Its pixels, row by row.
    pub(super) fn pixels(&self, slice: &Slice) -> Vec<Agreement> {
        let rows = slice.pixels.chunks_exact(slice.width).take(self.rows.end).skip(self.rows.start);
        rows.flat_map(|row| &row[self.columns.clone()]).copied().collect()
    }

    /// A `data:` URI.
    pub(super) fn uri(&self, slice: &Slice) -> Option<String> {
        let png = self.png(slice).ok()?;
        Some(format!("data:image/png;base64,{}", STANDARD.encode(png)))
    }

    /// A pixel takes a byte before compression: its place in the palette.
    fn png(&self, slice: &Slice) -> Result<Vec<u8>, png::EncodingError> {
        let index = |agreement: Agreement| AGREEMENTS.iter().position(|other| *other == agreement).unwrap_or(0) as u8;
        let pixels: Vec<_> = self.pixels(slice).into_iter().map(index).collect();
        let mut bytes = vec![];
        let mut encoder = png::Encoder::new(&mut bytes, self.columns.len() as u32, self.rows.len() as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(AGREEMENTS.map(colour).concat());
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&pixels)?;
        writer.finish()?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn slice(width: usize, height: usize, marked: &[(usize, usize)]) -> Slice {
        let mut pixels = vec![Agreement::Neither; width * height];
        marked.iter().for_each(|(x, y)| pixels[y * width + x] = Agreement::Truth);
        Slice { axis: 0, index: 0, volume: None, width, height, aspect: 1.0, pixels }
    }

    #[test]
    fn the_png_decodes_to_the_pixels() {
        let evaluation = sample::evaluation(20);
        let slice = evaluation.cases[0].slice.as_ref().unwrap();
        let window = Window::of(slice).unwrap();
        let uri = window.uri(slice).unwrap();
        let bytes = STANDARD.decode(uri.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut decoded = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut decoded).unwrap();
        assert_eq!((info.width as usize, info.height as usize), (window.columns.len(), window.rows.len()));
        let expected: Vec<_> = window.pixels(slice).into_iter().flat_map(colour).collect();
        assert_eq!(decoded, expected);
        assert!(AGREEMENTS.iter().all(|agreement| window.pixels(slice).contains(agreement)));
    }

    #[test]
    fn a_window_holds_all_that_is_marked() {
        let window = Window::of(&slice(40, 30, &[(10, 3), (29, 5)])).unwrap();
        // 20 columns wide, so that the margin is 3.
        assert_eq!(window, Window { columns: 7..33, rows: 0..9 });
        let all = Window { columns: 0..40, rows: 0..30 };
        assert_eq!(Window::of(&slice(40, 30, &[])), Some(all.clone()));
        assert_eq!(Window::of(&slice(40, 30, &[(0, 0), (39, 29)])), Some(all));
    }

    #[test]
    fn slices_without_pixels_have_no_picture() {
        assert_eq!(Window::of(&slice(0, 3, &[])), None);
        let mut short = slice(4, 4, &[]);
        short.pixels.pop();
        assert_eq!(Window::of(&short), None);
    }

    #[test]
    fn pixels_are_as_tall_as_the_spacing_says() {
        let mut tall = slice(4, 2, &[]);
        tall.aspect = 3.0;
        assert_eq!(Window::of(&tall).unwrap().size(&tall), [4.0, 6.0]);
        tall.aspect = f64::NAN;
        assert_eq!(Window::of(&tall).unwrap().size(&tall), [4.0, 2.0]);
    }
}
