//! Who is who on the link between terminals and centre: certificates, strangers, revocation, clones, lost keys, and
//! terminals that their centre forgot.
mod certificates;
mod forgotten;
mod lost_key;
mod story;
mod strangers;
