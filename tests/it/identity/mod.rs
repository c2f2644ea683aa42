//! Who is who on the link between terminals and centre: certificates, strangers, revocation, clones.
mod certificates;
mod story;
mod strangers;
