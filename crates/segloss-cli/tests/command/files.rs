//! Small files of every format.

use std::io::Write;
use std::path::Path;

use ndarray::{ArrayD, Axis, ShapeBuilder};
use ndarray_npy::{WritableElement, write_npy};

/// A .npy file in C order.
pub(crate) fn npy<T: WritableElement + Clone>(path: &Path, dims: &[usize], values: &[T]) {
    write_npy(path, &ArrayD::from_shape_vec(dims, values.to_vec()).unwrap()).unwrap();
}

/// The same array, stored in Fortran order.
pub(crate) fn npy_fortran(path: &Path, dims: &[usize], values: &[f32]) {
    let array = ArrayD::from_shape_vec(dims, values.to_vec()).unwrap();
    let mut stored = ArrayD::zeros(dims.f());
    stored.assign(&array);
    write_npy(path, &stored).unwrap();
}

/// A .npy file with any descriptor and shape, and any bytes of data.
pub(crate) fn npy_raw(path: &Path, descriptor: &str, shape: &str, data: &[u8]) {
    let dict = format!("{{'descr': '{descriptor}', 'fortran_order': False, 'shape': {shape}, }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{dict:<117}\n").bytes());
    bytes.extend(data);
    std::fs::write(path, bytes).unwrap();
}

/// What a NIfTI header says.
pub(crate) struct Nifti {
    pub(crate) dims: Vec<i16>,
    pub(crate) datatype: i16,
    pub(crate) bits: i16,
    pub(crate) slope: f32,
    pub(crate) intercept: f32,
    pub(crate) offset: f32,
    pub(crate) voxel_size: [f32; 3],
    /// Scaling by the voxel size, then this.
    pub(crate) translation: [f32; 3],
}

impl Nifti {
    /// Bytes without scaling.
    pub(crate) fn u8(dims: &[i16]) -> Self {
        Self {
            dims: dims.to_vec(),
            datatype: 2,
            bits: 8,
            slope: 0.0,
            intercept: 0.0,
            offset: 352.0,
            voxel_size: [1.0; 3],
            translation: [0.0; 3],
        }
    }

    /// The whole file, data at byte 352 and in the file's order: first axis fastest.
    pub(crate) fn bytes(&self, data: &[u8]) -> Vec<u8> {
        let mut header = vec![0; 352];
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &348_i32.to_le_bytes());
        put(40, &(self.dims.len() as i16).to_le_bytes());
        for (axis, dim) in self.dims.iter().enumerate() {
            put(42 + 2 * axis, &dim.to_le_bytes());
        }
        put(70, &self.datatype.to_le_bytes());
        put(72, &self.bits.to_le_bytes());
        put(76, &1_f32.to_le_bytes());
        put(254, &1_i16.to_le_bytes());
        for axis in 0..3 {
            put(80 + 4 * axis, &self.voxel_size[axis].to_le_bytes());
            put(280 + 20 * axis, &self.voxel_size[axis].to_le_bytes());
            put(292 + 16 * axis, &self.translation[axis].to_le_bytes());
        }
        put(108, &self.offset.to_le_bytes());
        put(112, &self.slope.to_le_bytes());
        put(116, &self.intercept.to_le_bytes());
        put(344, b"n+1\0");
        header.extend(data);
        header
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Values in C order, in the order NIfTI stores them.
pub(crate) fn first_axis_fastest<T: Clone>(dims: &[usize], values: &[T]) -> Vec<T> {
    let mut array = ArrayD::from_shape_vec(dims, values.to_vec()).unwrap();
    let last = dims.len() - 1;
    for axis in 0..dims.len() / 2 {
        array.swap_axes(axis, last - axis);
    }
    assert_eq!(array.len_of(Axis(0)), dims[last]);
    array.iter().cloned().collect()
}

pub(crate) fn png(path: &Path, size: [u32; 2], color: png::ColorType, depth: png::BitDepth, data: &[u8]) {
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, size[0], size[1]);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        encoder.set_palette(vec![0, 0, 0, 255, 255, 255]);
    }
    encoder.write_header().unwrap().write_image_data(data).unwrap();
}

/// A .npz archive of one array.
pub(crate) fn npz<T: WritableElement + Clone>(path: &Path, name: &str, dims: &[usize], values: &[T]) {
    let mut bytes = vec![];
    let array = ArrayD::from_shape_vec(dims, values.to_vec()).unwrap();
    ndarray_npy::WriteNpyExt::write_npy(&array, &mut bytes).unwrap();
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(&bytes).unwrap();
    archive.finish().unwrap();
}

/// A stack of grey images of 8 bits.
pub(crate) fn tiff(path: &Path, dims: &[usize; 3], values: &[u8]) {
    let mut encoder = tiff::encoder::TiffEncoder::new(std::fs::File::create(path).unwrap()).unwrap();
    for page in values.chunks(dims[1] * dims[2]) {
        encoder.write_image::<tiff::encoder::colortype::Gray8>(dims[2] as u32, dims[1] as u32, page).unwrap();
    }
}
