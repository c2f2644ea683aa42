//! 角色: what somebody with an account may be, and sets of roles.
//!
//! Refuses to say what a role may do: that is `policy.rs`.
use std::fmt;

macro_rules! roles {
    ($($(#[$doc:meta])+ $variant:ident $name:literal,)*) => {
        /// What a person with an account is. Whoever has no account is the public (群众).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Role {
            $($(#[$doc])+ $variant,)*
        }

        impl Role {
            /// All roles, in the order in which people see them.
            pub const ALL: &[Role] = &[$(Self::$variant),*];

            /// The stable name, as in the store and on the command line.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

roles! {
    /// 受理员: takes cases in.
    Clerk "clerk",
    /// 窗口人员: opens matters for whoever stands there, and sees no others.
    Window "window",
    /// 审批员: decides cases.
    Reviewer "reviewer",
    /// 部门负责人: gives out steps, asks a second time, ends what cannot be gone on with.
    Leader "leader",
    /// 巡查员: inspects units and stations.
    Inspector "inspector",
    /// 目录编辑: makes changes of the catalogue.
    Editor "editor",
    /// 目录审核: checks what an editor made.
    Checker "checker",
    /// 运维: looks after centre and terminals.
    Operator "operator",
    /// 管理员: gives out accounts and roles; sees no cases.
    Admin "admin",
}

impl Role {
    /// The role of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.as_str() == name)
    }
}

impl std::str::FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        Self::from_name(name).ok_or(UnknownRole)
    }
}

/// There is no role of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of clerk, window, reviewer, leader, inspector, editor, checker, operator, admin")]
pub struct UnknownRole;

/// A set of roles.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Roles(u16);

impl Roles {
    /// The set of these roles.
    pub fn of(roles: &[Role]) -> Self {
        roles.iter().fold(Self::default(), |set, role| Self(set.0 | bit(*role)))
    }

    /// Whether a role is in it.
    pub fn has(self, role: Role) -> bool {
        self.0 & bit(role) != 0
    }

    /// Whether at least one of these is in it.
    pub fn has_any(self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.has(*role))
    }

    /// Whether it is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its roles in their order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.iter().copied().filter(move |role| self.has(*role))
    }

    /// Whether one person has a role together with another that must watch it: whoever makes a change of the
    /// catalogue must not be the one who checks it.
    pub fn conflicts(self) -> bool {
        self.has(Role::Editor) && self.has(Role::Checker)
    }

    /// The set as the store keeps it: names between blanks, so that one role can be looked for.
    pub fn to_stored(self) -> String {
        self.iter().fold(" ".to_owned(), |text, role| text + role.as_str() + " ")
    }

    /// The set that was stored; nothing if the text names an unknown role.
    pub fn from_stored(text: &str) -> Option<Self> {
        let roles: Option<Vec<_>> = text.split_whitespace().map(Role::from_name).collect();
        roles.map(|r| Self::of(&r))
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

fn bit(role: Role) -> u16 {
    1 << (role as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_reads_back_as_it_was_stored() {
        for bits in 0..(1 << Role::ALL.len()) {
            let set = Roles(bits);
            assert_eq!(Roles::from_stored(&set.to_stored()), Some(set), "{set:?}");
            assert_eq!(set.iter().count(), bits.count_ones() as usize);
        }
        assert_eq!(Roles::from_stored(" clerk emperor "), None);
        assert!(Roles::of(&[Role::Clerk]).to_stored().contains(" clerk "));
    }

    #[test]
    fn maker_and_checker_are_different_people() {
        assert!(Roles::of(&[Role::Editor, Role::Checker]).conflicts());
        assert!(!Roles::of(&[Role::Editor, Role::Reviewer]).conflicts());
        assert!(Roles::default().is_empty() && !Roles::default().has_any(Role::ALL));
    }

    #[test]
    fn every_name_is_its_roles_and_the_mistake_lists_them() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(*role));
            assert!(UnknownRole.to_string().contains(role.as_str()));
        }
        assert_eq!("Admin".parse::<Role>(), Err(UnknownRole));
    }
}
