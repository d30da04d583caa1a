"""Training with torch: network, data, losses, distillation. Nothing of it is needed on the robot."""
