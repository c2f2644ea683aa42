//! Where the steps of a bundle stand in a drawing: columns by what they depend on, lines from each to what waits for
//! it. Pure: sizes in pixels, no words of its own.
//!
//! Total: steps that depend on themselves, on later steps or on nothing that exists are drawn all the same, without
//! the line that cannot be. Refuses to judge a graph: `domain::catalogue::step_faults` does.
use std::collections::BTreeMap;

use super::wrap::wrapped;

/// Width of a box.
pub const BOX_WIDTH: i32 = 140;
/// Space between columns, where lines turn.
const COLUMN_GAP: i32 = 32;
/// Space between boxes of a column.
const ROW_GAP: i32 = 16;
/// Height of a lane for a line that passes a column.
const LANE: i32 = 12;
/// Around everything.
const MARGIN: i32 = 8;
/// Inside a box.
const PADDING: i32 = 10;
/// Height of a line of the name, and of a small line.
const NAME_LINE: i32 = 18;
const SMALL_LINE: i32 = 16;
/// Half widths of a character that fit into a line of a name (13 px) and into a small line (12 px).
const NAME_HALVES: usize = 18;
const SMALL_HALVES: usize = 20;
/// How often the order within columns is looked at again.
const SWEEPS: usize = 6;

/// A step to be drawn.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Small lines below the name.
    pub notes: Vec<String>,
    /// Class of its colours.
    pub class: String,
    /// Ids of what it depends on.
    pub depends: Vec<String>,
}

/// A drawing.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// Width of everything.
    pub width: i32,
    /// Height of everything.
    pub height: i32,
    /// Boxes, in the order of the steps.
    pub boxes: Vec<Boxed>,
    /// Lines.
    pub edges: Vec<Edge>,
}

/// A step in its place.
#[derive(Debug, Clone)]
pub struct Boxed {
    /// Its id.
    pub id: String,
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Height; all are [`BOX_WIDTH`] wide.
    pub height: i32,
    /// Class of its colours.
    pub class: String,
    /// Lines: baseline, whether it is of the name, text.
    pub lines: Vec<(i32, bool, String)>,
}

/// A line from a step to one that waits for it.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Id of the step that comes first.
    pub from: String,
    /// Id of the step that waits.
    pub to: String,
    /// Points through which it runs: out of the right side of a box, straight through lanes, into the left side.
    pub points: Vec<(i32, i32)>,
}

impl Edge {
    /// The line as the `d` of a path: curves between columns, straight through lanes.
    pub fn path(&self) -> String {
        let mut d = String::new();
        for (at, (x, y)) in self.points.iter().enumerate() {
            match at.checked_sub(1).and_then(|before| self.points.get(before)) {
                None => d.push_str(&format!("M{x} {y}")),
                Some((_, from_y)) if at % 2 == 0 && from_y == y => d.push_str(&format!(" H{x}")),
                Some((from_x, from_y)) => {
                    let middle = i32::midpoint(*from_x, *x);
                    d.push_str(&format!(" C{middle} {from_y} {middle} {y} {x} {y}"));
                }
            }
        }
        d
    }

    /// The tip at the end of the line, as points of a polygon.
    pub fn tip(&self) -> String {
        let (x, y) = self.points.last().copied().unwrap_or_default();
        format!("{x},{y} {0},{1} {0},{2}", x - 7, y - 4, y + 4)
    }
}

/// What stands in a column: a box, or the lane of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Box(usize),
    Lane { edge: usize, column: usize },
}

/// Places everything.
pub fn layout(nodes: &[Node]) -> Graph {
    let edges = edges(nodes);
    let columns = columns(nodes.len(), &edges);
    let slots = ordered(&columns, &edges);
    let boxes: Vec<Boxed> = nodes.iter().map(boxed).collect();
    let height_of = |slot: &Slot| match slot {
        Slot::Box(at) => boxes.get(*at).map_or(0, |b| b.height),
        Slot::Lane { .. } => LANE,
    };
    let tall = |column: &Vec<Slot>| {
        let gaps = i32::try_from(column.len().saturating_sub(1)).unwrap_or(0) * ROW_GAP;
        column.iter().map(height_of).sum::<i32>() + gaps
    };
    let tallest = slots.iter().map(tall).max().unwrap_or(0);
    let mut tops: BTreeMap<Slot, (i32, i32)> = BTreeMap::new();
    for (column, list) in slots.iter().enumerate() {
        let x = MARGIN + i32::try_from(column).unwrap_or(0) * (BOX_WIDTH + COLUMN_GAP);
        let mut y = MARGIN + (tallest - tall(list)) / 2;
        for slot in list {
            tops.insert(*slot, (x, y));
            y += height_of(slot) + ROW_GAP;
        }
    }
    let place = |slot: Slot| tops.get(&slot).copied().unwrap_or_default();
    let middle = |slot: Slot| place(slot).1 + height_of(&slot) / 2;
    let lines = edges.iter().enumerate().map(|(at, (from, to))| {
        let (first, last) = (columns.get(*from).copied(), columns.get(*to).copied());
        let (first, last) = (first.unwrap_or(0), last.unwrap_or(0));
        let mut points = vec![(place(Slot::Box(*from)).0 + BOX_WIDTH, middle(Slot::Box(*from)))];
        for column in first + 1..last {
            let lane = Slot::Lane { edge: at, column };
            points.extend([(place(lane).0, middle(lane)), (place(lane).0 + BOX_WIDTH, middle(lane))]);
        }
        points.push((place(Slot::Box(*to)).0, middle(Slot::Box(*to))));
        let id = |at: usize| nodes.get(at).map(|node| node.id.clone()).unwrap_or_default();
        Edge { from: id(*from), to: id(*to), points }
    });
    let edges = lines.collect();
    let count = i32::try_from(slots.len()).unwrap_or(0);
    Graph {
        width: 2 * MARGIN + count * BOX_WIDTH + (count - 1).max(0) * COLUMN_GAP,
        height: 2 * MARGIN + tallest,
        boxes: boxes.into_iter().enumerate().map(|(at, b)| moved(b, place(Slot::Box(at)))).collect(),
        edges,
    }
}

/// Edges as (from, to) that lead to a later step.
fn edges(nodes: &[Node]) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    for (to, node) in nodes.iter().enumerate() {
        for id in &node.depends {
            let from = nodes.iter().take(to).position(|node| node.id == *id);
            edges.extend(from.map(|from| (from, to)).filter(|edge| !edges.contains(edge)));
        }
    }
    edges
}

/// The column of each step: one after the last of what it depends on.
fn columns(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut columns = vec![0; count];
    for to in 0..count {
        let before = edges.iter().filter(|edge| edge.1 == to).filter_map(|edge| columns.get(edge.0)).max();
        let column = before.map_or(0, |before| before + 1);
        columns.iter_mut().skip(to).take(1).for_each(|slot| *slot = column);
    }
    columns
}

/// Slots of each column in an order in which few lines cross: each slot goes to where its neighbours stand on
/// average, to and fro.
fn ordered(columns: &[usize], edges: &[(usize, usize)]) -> Vec<Vec<Slot>> {
    let count = columns.iter().max().map_or(0, |last| last + 1);
    let mut slots: Vec<Vec<Slot>> = vec![Vec::new(); count];
    let mut links: Vec<(Slot, Slot)> = Vec::new();
    let mut put =
        |column: usize, slot: Slot| slots.iter_mut().skip(column).take(1).for_each(|list| list.push(slot));
    for (at, column) in columns.iter().enumerate() {
        put(*column, Slot::Box(at));
    }
    for (edge, (from, to)) in edges.iter().enumerate() {
        let (first, last) =
            (columns.get(*from).copied().unwrap_or(0), columns.get(*to).copied().unwrap_or(0));
        let mut before = Slot::Box(*from);
        for column in first + 1..last {
            let lane = Slot::Lane { edge, column };
            put(column, lane);
            links.push((before, lane));
            before = lane;
        }
        links.push((before, Slot::Box(*to)));
    }
    for sweep in 0..SWEEPS {
        let forward = sweep % 2 == 0;
        let order: Vec<usize> =
            if forward { (1..count).collect() } else { (0..count.max(1) - 1).rev().collect() };
        for column in order {
            let beside = if forward { column - 1 } else { column + 1 };
            let Some(beside) = slots.get(beside).cloned() else { continue };
            if let Some(list) = slots.get_mut(column) {
                sort_by_neighbours(list, &beside, &links);
            }
        }
    }
    slots
}

fn sort_by_neighbours(list: &mut [Slot], beside: &[Slot], links: &[(Slot, Slot)]) {
    let place = |slot: &Slot| beside.iter().position(|other| other == slot);
    // Averages in hundredths: whole numbers are ordered, and equal on every machine.
    let average = |slot: &Slot, at: usize| {
        let other = |(a, b): &(Slot, Slot)| {
            if a == slot {
                place(b)
            } else if b == slot {
                place(a)
            } else {
                None
            }
        };
        let places: Vec<usize> = links.iter().filter_map(other).collect();
        if places.is_empty() { at * 100 } else { places.iter().sum::<usize>() * 100 / places.len() }
    };
    let keys: BTreeMap<Slot, usize> =
        list.iter().enumerate().map(|(at, slot)| (*slot, average(slot, at))).collect();
    list.sort_by_key(|slot| keys.get(slot).copied().unwrap_or(0));
}

fn boxed(node: &Node) -> Boxed {
    let mut y = PADDING;
    let mut lines = Vec::new();
    for line in wrapped(&node.name, NAME_HALVES) {
        y += NAME_LINE;
        lines.push((y - 4, true, line));
    }
    y += 2;
    for line in node.notes.iter().flat_map(|note| wrapped(note, SMALL_HALVES)) {
        y += SMALL_LINE;
        lines.push((y - 4, false, line));
    }
    Boxed { id: node.id.clone(), x: 0, y: 0, height: y + PADDING, class: node.class.clone(), lines }
}

fn moved(boxed: Boxed, (x, y): (i32, i32)) -> Boxed {
    Boxed { x, y, ..boxed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, depends: &[&str]) -> Node {
        Node {
            id: id.to_owned(),
            name: format!("step {id} with a rather long name"),
            notes: vec!["somebody".to_owned()],
            class: String::new(),
            depends: depends.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    /// No two boxes touch, everything lies inside, and each line ends at its boxes.
    fn sound(graph: &Graph) {
        for (at, one) in graph.boxes.iter().enumerate() {
            assert!(one.x >= 0 && one.x + BOX_WIDTH <= graph.width && one.y >= 0, "{one:?}");
            assert!(one.y + one.height <= graph.height, "{one:?}");
            assert!(one.lines.iter().all(|(y, ..)| (0..one.height).contains(y)), "{one:?}");
            for other in &graph.boxes[at + 1..] {
                let apart = one.x + BOX_WIDTH <= other.x
                    || other.x + BOX_WIDTH <= one.x
                    || one.y + one.height <= other.y
                    || other.y + other.height <= one.y;
                assert!(apart, "{one:?} {other:?}");
            }
        }
        let find = |id: &str| graph.boxes.iter().find(|b| b.id == id).expect("a box");
        for edge in &graph.edges {
            let (from, to) = (find(&edge.from), find(&edge.to));
            let (first, last) = (edge.points[0], edge.points[edge.points.len() - 1]);
            assert_eq!(first, (from.x + BOX_WIDTH, from.y + from.height / 2));
            assert_eq!(last, (to.x, to.y + to.height / 2));
            for (x, y) in &edge.points[1..edge.points.len() - 1] {
                let hits = graph
                    .boxes
                    .iter()
                    .find(|b| (b.x..=b.x + BOX_WIDTH).contains(x) && (b.y..=b.y + b.height).contains(y));
                assert!(hits.is_none(), "{edge:?} runs through {hits:?}");
            }
        }
    }

    #[test]
    fn columns_follow_what_steps_wait_for_and_long_lines_have_lanes() {
        let nodes = [
            node("a", &[]),
            node("b", &["a"]),
            node("c", &["a"]),
            node("d", &["b", "c"]),
            node("e", &["d", "a"]),
        ];
        let graph = layout(&nodes);
        sound(&graph);
        let xs: Vec<i32> = graph.boxes.iter().map(|b| b.x).collect();
        assert!(xs[0] < xs[1] && xs[1] == xs[2] && xs[2] < xs[3] && xs[3] < xs[4], "{xs:?}");
        assert_eq!(graph.edges.len(), 6);
        let long = graph.edges.iter().find(|e| e.from == "a" && e.to == "e").expect("an edge");
        assert_eq!(long.points.len(), 6, "two columns to pass");
    }

    #[test]
    fn odd_graphs_are_drawn_all_the_same() {
        sound(&layout(&[]));
        sound(&layout(&[node("a", &["a", "b", "nothing"]), node("b", &["a", "a"])]));
        let many: Vec<Node> =
            (0..60).map(|n| node(&format!("s{n}"), &[&format!("s{}", n / 3), "s0"])).collect();
        sound(&layout(&many));
        let wordless = Node { name: String::new(), notes: Vec::new(), ..node("a", &[]) };
        sound(&layout(&[wordless]));
    }
}
