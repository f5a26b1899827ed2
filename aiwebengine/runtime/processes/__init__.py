"""Child processes: zygote, templates, clones, and what is known of them."""
