//! Pages of a form from the scanner and the camera: the real `scanimage` with SANE's test back end, and files in the
//! place of a camera.
mod story;
