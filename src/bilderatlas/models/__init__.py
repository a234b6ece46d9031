"""Models: encoders, and detectors of objects and text; ONNX, the hub, OCR."""
