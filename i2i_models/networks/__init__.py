"""The methods' networks, on tensors, and their parts: U-Net, residual nets, PatchGAN, layers, losses."""
