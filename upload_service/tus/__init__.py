"""tus 1.0 (https://tus.io/protocols/resumable-upload): its headers, and its routes."""
