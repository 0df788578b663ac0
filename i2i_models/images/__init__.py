"""Images in and out: files to RGB, images to tensors, outlines, label maps and their palettes."""
