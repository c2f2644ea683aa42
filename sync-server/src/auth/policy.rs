//! Who may do what: the one table of permits. Every address of both listeners names one of them in `routes.rs`, and
//! the gate before the address asks it.
//!
//! Refuses everything that it does not name. `docs/operations` has the same table for people; a test compares both,
//! and another one tries every address with every role.
use super::role::{Role, Roles};

/// Somebody may do something.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    /// Its name; words for people are under `permit.{name}`.
    pub name: &'static str,
    /// Who may.
    pub who: Who,
}

/// Who may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody, the public included.
    Anyone,
    /// Whoever brings a proof of its own in the call: a terminal's certificate and signature, or a one-time code. An
    /// account opens nothing here.
    Device,
    /// Whoever is signed in, whatever the roles.
    SignedIn,
    /// Whoever is signed in and has one of these roles.
    OneOf(&'static [Role]),
}

/// What the gate does with a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Lets the call through.
    Go,
    /// Asks for sign-in.
    SignInFirst,
    /// Says who may.
    NotYours,
}

/// What is open to everybody: slips, certificates by their token, problems, sign-in, health.
pub static OPEN: Permit = Permit { name: "open", who: Who::Anyone };
/// What devices do, each call with its certificate and its own proof.
pub static DEVICES: Permit = Permit { name: "devices", who: Who::Device };
/// What devices do before they have a certificate: a one-time code, or a request signed by the device key, is the proof.
pub static ENROLMENT: Permit = Permit { name: "enrolment", who: Who::Device };
/// What carriers call back, each call signed with a shared secret.
pub static CALL_BACKS: Permit = Permit { name: "call_backs", who: Who::Device };
/// What the payment gateway tells: each call is signed with the key that only it has.
pub static GATEWAY: Permit = Permit { name: "gateway", who: Who::Device };
/// What other regions' centres say: each message is signed by the key that the register has of them.
pub static PARTNERS: Permit = Permit { name: "partners", who: Who::Device };
/// Change one's own password, and sign out: the only things that may be done with a password that somebody else gave.
pub static OWN_PASSWORD: Permit = Permit { name: "own_password", who: Who::SignedIn };
/// See one's own account, and end other sessions of it.
pub static OWN_ACCOUNT: Permit = Permit { name: "own_account", who: Who::SignedIn };
/// See the list of cases, and a case: no name, no number, no answer is shown. Its pages and photos can be taken one by
/// one, and each leaves an audit row.
pub static SEE_CASES: Permit = Permit {
    name: "see_cases",
    who: Who::OneOf(&[Role::Clerk, Role::Reviewer, Role::Leader, Role::Inspector, Role::Operator]),
};
/// Work at cases of the own unit: see their content, take steps, decide. What somebody may do to a case is judged once
/// more by the unit of its step.
pub static DECIDE_CASES: Permit =
    Permit { name: "decide_cases", who: Who::OneOf(&[Role::Clerk, Role::Reviewer, Role::Leader]) };
/// Open matters at a window for whoever stands there, and see those that one opened. Nobody else's case is shown.
pub static WINDOW: Permit = Permit { name: "window", who: Who::OneOf(&[Role::Window]) };
/// Pack and send results of the own unit, and see to what did not arrive. Nobody's name or address stands in the lists.
pub static PARCELS: Permit = Permit { name: "parcels", who: Who::OneOf(&[Role::Clerk, Role::Leader]) };
/// See how many came to the windows, by day and hour, and how long it took: no person, no case. Each visit with its
/// account and the numbers of its cases only with [`SEE_CASES`].
pub static SEE_VISITS: Permit = Permit {
    name: "see_visits",
    who: Who::OneOf(&[Role::Window, Role::Leader, Role::Inspector, Role::Operator]),
};
/// See the figures of cases, and lists of the numbers behind them: a leader of those in which the own unit has a part,
/// central IT of all.
pub static SEE_STATISTICS: Permit =
    Permit { name: "see_statistics", who: Who::OneOf(&[Role::Leader, Role::Operator]) };
/// See bills, payments and refunds: a leader those of the own unit, central IT and inspectors all. No person is shown.
pub static SEE_PAYMENTS: Permit =
    Permit { name: "see_payments", who: Who::OneOf(&[Role::Leader, Role::Inspector, Role::Operator]) };
/// Have a refund tried again, and send back what fits no bill.
pub static SETTLE_PAYMENTS: Permit =
    Permit { name: "settle_payments", who: Who::OneOf(&[Role::Leader, Role::Operator]) };
/// See the catalogue: items, bundles, forms, the working-day calendar, drafts, versions and what differs between them.
pub static SEE_CATALOGUE: Permit = Permit {
    name: "see_catalogue",
    who: Who::OneOf(&[
        Role::Clerk,
        Role::Reviewer,
        Role::Leader,
        Role::Inspector,
        Role::Editor,
        Role::Checker,
        Role::Operator,
    ]),
};
/// Make drafts of items.
pub static EDIT_CATALOGUE: Permit = Permit { name: "edit_catalogue", who: Who::OneOf(&[Role::Editor]) };
/// Approve drafts that others made, send them back, and make the next version of them.
pub static CHECK_CATALOGUE: Permit = Permit { name: "check_catalogue", who: Who::OneOf(&[Role::Checker]) };
/// Move a rollout on, halt it, take it back; withdraw items in an emergency.
pub static PUBLISH: Permit = Permit { name: "publish", who: Who::OneOf(&[Role::Operator]) };
/// See how terminals stand, make codes for new ones, take them out of service, replace them.
pub static MANAGE_TERMINALS: Permit = Permit { name: "manage_terminals", who: Who::OneOf(&[Role::Operator]) };
/// See how far messages to citizens have come, and send one again.
pub static SEND_MESSAGES: Permit = Permit { name: "send_messages", who: Who::OneOf(&[Role::Operator]) };
/// Give out accounts and roles, lock them, reset passwords.
pub static MANAGE_ACCOUNTS: Permit = Permit { name: "manage_accounts", who: Who::OneOf(&[Role::Admin]) };

/// All permits.
pub static PERMITS: [&Permit; 23] = [
    &OPEN,
    &DEVICES,
    &ENROLMENT,
    &CALL_BACKS,
    &GATEWAY,
    &PARTNERS,
    &OWN_PASSWORD,
    &OWN_ACCOUNT,
    &SEE_CASES,
    &DECIDE_CASES,
    &WINDOW,
    &PARCELS,
    &SEE_VISITS,
    &SEE_STATISTICS,
    &SEE_PAYMENTS,
    &SETTLE_PAYMENTS,
    &SEE_CATALOGUE,
    &EDIT_CATALOGUE,
    &CHECK_CATALOGUE,
    &PUBLISH,
    &MANAGE_TERMINALS,
    &SEND_MESSAGES,
    &MANAGE_ACCOUNTS,
];

impl Permit {
    /// What becomes of somebody with these roles; nothing for somebody who is not signed in.
    pub fn judge(&self, roles: Option<Roles>) -> Verdict {
        match (self.who, roles) {
            (Who::Anyone | Who::Device, _) | (Who::SignedIn, Some(_)) => Verdict::Go,
            (Who::SignedIn | Who::OneOf(_), None) => Verdict::SignInFirst,
            (Who::OneOf(wanted), Some(roles)) if roles.has_any(wanted) => Verdict::Go,
            (Who::OneOf(_), Some(_)) => Verdict::NotYours,
        }
    }

    /// The roles that may; none where roles do not matter.
    pub fn roles(&self) -> &'static [Role] {
        match self.who {
            Who::OneOf(roles) => roles,
            Who::Anyone | Who::Device | Who::SignedIn => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_in_by_a_role_that_is_not_named() {
        for permit in PERMITS {
            for role in Role::ALL {
                let verdict = permit.judge(Some(Roles::of(&[*role])));
                let expected = match permit.who {
                    Who::OneOf(roles) if !roles.contains(role) => Verdict::NotYours,
                    _ => Verdict::Go,
                };
                assert_eq!(verdict, expected, "{} {role:?}", permit.name);
            }
        }
        for permit in [&OWN_PASSWORD, &OWN_ACCOUNT, &SEE_CASES, &SEE_CATALOGUE, &PUBLISH, &MANAGE_ACCOUNTS] {
            assert_eq!(permit.judge(None), Verdict::SignInFirst, "{}", permit.name);
        }
        assert_eq!(SEE_CASES.judge(Some(Roles::default())), Verdict::NotYours);
        assert_eq!(OPEN.judge(None), Verdict::Go);
    }

    #[test]
    fn nobody_makes_and_checks_by_one_role() {
        for role in Role::ALL {
            let may = |permit: &Permit| permit.judge(Some(Roles::of(&[*role]))) == Verdict::Go;
            assert!(!(may(&EDIT_CATALOGUE) && may(&CHECK_CATALOGUE)), "{role:?}");
        }
    }

    #[test]
    fn whoever_sits_at_a_window_sees_no_cases_of_others() {
        for permit in [&SEE_CASES, &DECIDE_CASES] {
            assert_eq!(permit.judge(Some(Roles::of(&[Role::Window]))), Verdict::NotYours, "{}", permit.name);
        }
    }

    #[test]
    fn whoever_gives_out_roles_sees_no_cases() {
        assert_eq!(SEE_CASES.judge(Some(Roles::of(&[Role::Admin]))), Verdict::NotYours);
    }
}
