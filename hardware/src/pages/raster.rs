//! Pixels in memory, wiped when they are let go: colours ([`Raster`]) and one number a pixel ([`Plane`]).
//!
//! Refuses to know formats: bytes of files become pixels in [`crate::image`] only.
use zeroize::Zeroizing;

/// Bytes of a pixel.
const CHANNELS: usize = 3;

/// A picture in red, green and blue, eight bits each, row by row from the top.
pub struct Raster {
    width: usize,
    height: usize,
    rgb: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Raster {
    /// Says how large it is; what it shows may be a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Raster({}x{})", self.width, self.height)
    }
}

impl Raster {
    /// A picture of these bytes; none if they are not three for each pixel, or if there is no pixel.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Option<Self> {
        let rgb = Zeroizing::new(rgb);
        let bytes = width.checked_mul(height)?.checked_mul(CHANNELS)?;
        (bytes > 0 && bytes == rgb.len()).then_some(Self { width, height, rgb })
    }

    /// A picture in one colour; at least one pixel.
    pub(super) fn plain(width: usize, height: usize, color: [u8; 3]) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        Self { width, height, rgb: Zeroizing::new(color.repeat(width * height)) }
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All bytes: red, green and blue of each pixel.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.rgb.chunks_exact_mut(self.width * CHANNELS)
    }

    /// One row; an empty one below the last.
    pub(super) fn row(&self, y: usize) -> &[u8] {
        let length = self.width * CHANNELS;
        self.rgb.get(y * length..(y + 1) * length).unwrap_or_default()
    }

    /// A pixel, or the nearest one.
    pub(super) fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let from = (y.min(self.height - 1) * self.width + x.min(self.width - 1)) * CHANNELS;
        self.rgb.get(from..from + CHANNELS).and_then(|p| p.first_chunk()).copied().unwrap_or_default()
    }

    /// The picture with its longer side at most so many pixels: each is the mean of those that it stands for.
    pub fn reduced(&self, side: usize) -> Self {
        let longer = self.width.max(self.height);
        let side = side.clamp(1, longer);
        let size = |n: usize| (n * side).div_ceil(longer).clamp(1, n);
        let (width, height) = (size(self.width), size(self.height));
        if (width, height) == (self.width, self.height) {
            return Self { width, height, rgb: self.rgb.clone() };
        }
        let mut small = Self::plain(width, height, [0; 3]);
        let starts: Vec<usize> = (0..=width).map(|x| x * self.width / width).collect();
        for (y, out) in small.rows_mut().enumerate() {
            let rows = y * self.height / height..(y + 1) * self.height / height;
            for (pixel, bounds) in out.chunks_exact_mut(CHANNELS).zip(starts.windows(2)) {
                pixel.copy_from_slice(&self.mean(bounds[0]..bounds[1], rows.clone()));
            }
        }
        small
    }

    fn mean(&self, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> [u8; 3] {
        let mut sums = [0_u32; 3];
        let count = (columns.len() * rows.len()).max(1) as u32;
        for y in rows {
            let cells = self.row(y).get(columns.start * CHANNELS..columns.end * CHANNELS).unwrap_or_default();
            for cell in cells.chunks_exact(CHANNELS) {
                sums[0] += u32::from(cell[0]);
                sums[1] += u32::from(cell[1]);
                sums[2] += u32::from(cell[2]);
            }
        }
        sums.map(|sum| ((sum + count / 2) / count) as u8)
    }

    /// One number for each pixel.
    pub(super) fn plane(&self, of: impl Fn([u8; 3]) -> u8) -> Plane {
        let cells = self.rgb.chunks_exact(CHANNELS).map(|p| of([p[0], p[1], p[2]])).collect();
        Plane { width: self.width, height: self.height, cells: Zeroizing::new(cells) }
    }

    /// Whether no pixel has a colour.
    pub(super) fn is_grey(&self) -> bool {
        self.rgb.chunks_exact(CHANNELS).all(|p| p[0] == p[1] && p[1] == p[2])
    }
}

/// How bright a colour looks (ITU-R BT.601), 0 to 255.
pub(super) fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((u32::from(red) * 77 + u32::from(green) * 150 + u32::from(blue) * 29) >> 8) as u8
}

/// The channel that has least: ink of any colour takes away from one of them.
pub(super) fn least([red, green, blue]: [u8; 3]) -> u8 {
    red.min(green).min(blue)
}

/// One number a pixel.
pub(super) struct Plane {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) cells: Zeroizing<Vec<u8>>,
}

impl Plane {
    /// The number at a pixel, or at the nearest one.
    pub(super) fn at(&self, x: usize, y: usize) -> u8 {
        let at = y.min(self.height - 1) * self.width + x.min(self.width - 1);
        self.cells.get(at).copied().unwrap_or_default()
    }
}
