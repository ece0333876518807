//! Teaches the net: features, model, loss, optimiser, batches.
