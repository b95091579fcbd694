"""Networks that tell true images from machine-made ones, patch by patch."""
