//! Line icons from `assets/icons/icons.json`, painted with [`egui::Painter`] in a theme colour.
//!
//! Refuses rasters and fills: an icon is a set of lines on a 48 x 48 grid, three units wide.
pub mod outline;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, pos2};

use outline::Line;

/// Side of the grid on which icons are drawn.
pub const GRID: f32 = 48.0;
/// Width of lines on the grid.
pub const LINE_WIDTH: f32 = 3.0;
/// Largest file that is read.
const MAX_FILE_BYTES: u64 = 256 << 10;

/// All icons by name.
#[derive(Debug, Clone, Default)]
pub struct Icons {
    icons: BTreeMap<String, Vec<Line>>,
}

/// Why the icons cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum IconsError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than icons can be, or not a list of shapes.
    #[error("{path} is not a list of icons: {reason}")]
    Shape {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// One shape of an icon in the file.
#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Path(String),
    Circle([f32; 3]),
    Rect([f32; 5]),
}

impl Icons {
    /// Loads `icons/icons.json` below this folder.
    ///
    /// # Errors
    /// [`IconsError`], naming the file and the icon.
    pub fn load(assets: &Path) -> Result<Self, IconsError> {
        let path = assets.join("icons/icons.json");
        let failed = |source| IconsError::Read { path: path.clone(), source };
        let shape = |reason: String| IconsError::Shape { path: path.clone(), reason };
        if std::fs::metadata(&path).map_err(failed)?.len() > MAX_FILE_BYTES {
            return Err(shape("too large".to_owned()));
        }
        let bytes = std::fs::read(&path).map_err(failed)?;
        let parts: BTreeMap<String, Vec<Part>> =
            serde_json::from_slice(&bytes).map_err(|error| shape(error.to_string()))?;
        let mut icons = BTreeMap::new();
        for (name, parts) in parts {
            let lines = lines(&parts).map_err(|error| shape(format!("{name}: {error}")))?;
            icons.insert(name, lines);
        }
        Ok(Self { icons })
    }

    /// There is an icon of this name.
    pub fn has(&self, name: &str) -> bool {
        self.icons.contains_key(name)
    }

    /// Names of all icons, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.icons.keys().map(String::as_str)
    }

    /// Paints an icon into the square in the middle of `rect`; an unknown name paints a plain document.
    pub fn paint(&self, painter: &Painter, rect: Rect, name: &str, color: Color32) {
        self.paint_with(painter, rect, name, Stroke::new(LINE_WIDTH, color));
    }

    /// Like [`Self::paint`], with lines of this width on the grid.
    pub fn paint_with(&self, painter: &Painter, rect: Rect, name: &str, stroke: Stroke) {
        let Some(lines) = self.icons.get(name).or_else(|| self.icons.get("doc")) else { return };
        let side = rect.width().min(rect.height());
        let place = Rect::from_center_size(rect.center(), egui::Vec2::splat(side));
        paint_lines(painter, place, lines, stroke);
    }
}

/// Paints lines of the 48 x 48 grid into `place`; round ends.
pub fn paint_lines(painter: &Painter, place: Rect, lines: &[Line], stroke: Stroke) {
    let scale = place.width() / GRID;
    let at = |point: &Pos2| pos2(place.left() + point.x * scale, place.top() + point.y * scale);
    let stroke = Stroke::new(stroke.width * scale, stroke.color);
    for line in lines {
        let points: Vec<Pos2> = line.points.iter().map(at).collect();
        let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) else { continue };
        if line.closed {
            painter.add(Shape::closed_line(points, stroke));
            continue;
        }
        painter.add(Shape::line(points, stroke));
        for end in [first, last] {
            painter.circle_filled(end, stroke.width / 2.0, stroke.color);
        }
    }
}

fn lines(parts: &[Part]) -> Result<Vec<Line>, outline::OutlineError> {
    let mut lines = Vec::new();
    for part in parts {
        match part {
            Part::Path(path) => lines.extend(outline::parse(path)?),
            Part::Circle([x, y, radius]) => lines.push(outline::circle(pos2(*x, *y), *radius)),
            Part::Rect([x, y, width, height, radius]) => {
                let rect = Rect::from_min_size(pos2(*x, *y), egui::vec2(*width, *height));
                lines.push(outline::round_rect(rect, *radius));
            }
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_of_the_assets_lies_on_its_grid() {
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets");
        let icons = Icons::load(&assets).unwrap();
        assert!(icons.has("doc") && icons.has("search"));
        for (name, lines) in &icons.icons {
            assert!(!lines.is_empty(), "{name}");
            for point in lines.iter().flat_map(|line| &line.points) {
                let inside = (0.0..=GRID).contains(&point.x) && (0.0..=GRID).contains(&point.y);
                assert!(inside, "{name} has {point:?}");
            }
        }
    }
}
