//! Materials by what a person has to do with them: bring, nothing, sign here, promise. Refuses to draw.
use domain::item::{Material, MaterialSource};
use domain::text::Text;

use crate::widgets::Cx;

/// Materials of one kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Group<'m> {
    /// Key of the words: `materials.{key}` with the list, `materials.{key}_hint`.
    pub key: &'static str,
    /// Icon.
    pub icon: &'static str,
    /// Their names, in the order of the list; never empty.
    pub names: Vec<&'m Text>,
}

/// The groups that are not empty: 自带, 现场签, 可承诺, 免提交.
pub fn groups(materials: &[Material]) -> Vec<Group<'_>> {
    let kinds: [(&str, &str, &[MaterialSource]); 4] = [
        ("bring", "folder", &[MaterialSource::Bring]),
        ("sign", "sign", &[MaterialSource::Sign]),
        ("promise", "shield", &[MaterialSource::Promise]),
        ("free", "idcard", &[MaterialSource::Card, MaterialSource::Shared]),
    ];
    let group = |(key, icon, sources): (&'static str, &'static str, &[MaterialSource])| {
        let of_it = materials.iter().filter(|material| sources.contains(&material.source));
        Group { key, icon, names: of_it.map(|material| &material.name).collect() }
    };
    kinds.into_iter().map(group).filter(|group| !group.names.is_empty()).collect()
}

impl Group<'_> {
    /// `户口本、结婚证`
    pub fn list(&self, cx: &Cx<'_>) -> String {
        let names: Vec<&str> = self.names.iter().map(|name| cx.say(name)).collect();
        names.join(cx.t("guide.separator"))
    }

    /// `自己带：户口本、结婚证`
    pub fn words(&self, cx: &Cx<'_>) -> String {
        cx.tf(&format!("materials.{}", self.key), &[("list", &self.list(cx))])
    }

    /// What that means: `部门自己核对，不用交`.
    pub fn hint(&self, cx: &Cx<'_>) -> String {
        cx.tf(&format!("materials.{}_hint", self.key), &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_material_stands_in_one_group_and_empty_groups_are_left_out() {
        let material = |name: &str, source| Material { name: Text::new(name, ""), source };
        let list = [
            material("a", MaterialSource::Card),
            material("b", MaterialSource::Bring),
            material("c", MaterialSource::Shared),
            material("d", MaterialSource::Sign),
        ];
        let told: Vec<(&str, Vec<&str>)> = groups(&list)
            .into_iter()
            .map(|group| (group.key, group.names.iter().map(|name| name.zh.as_str()).collect()))
            .collect();
        assert_eq!(told, [("bring", vec!["b"]), ("sign", vec!["d"]), ("free", vec!["a", "c"])]);
        assert!(groups(&[]).is_empty());
    }
}
