//! Who is who on the link between terminals and centre: certificates, strangers, revocation, clones, lost keys.
mod certificates;
mod lost_key;
mod story;
mod strangers;
