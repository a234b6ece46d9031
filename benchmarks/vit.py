"""CLIP ViT-B/32 with random weights, as fast as real ones: in torch, and as ONNX."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

SIDE = 224
GFLOP = 8.8  # an image: 49 patches of 3 x 32 x 32 numbers, 12 layers of 50 tokens of 768


def model() -> Any:
    """The picture tower with its projection, in torch."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.CLIPVisionConfig(patch_size=32, projection_dim=512)
    made = transformers.CLIPVisionModelWithProjection(config).eval()
    for parameter in made.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    return made


def processor() -> Any:
    """CLIP's own preparation of a picture, with Pillow."""
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    return CLIPImageProcessorPil()


def write(folder: Path, *, int8: bool = False) -> Path:
    """An encoder folder, laid out as the hub's: onnx/vision_model.onnx and its configuration.

    `int8`: also the file that `:int8` reads, its weights signed, with a scale a channel.
    """
    path = folder / "onnx" / "vision_model.onnx"
    path.parent.mkdir(parents=True)
    processor().save_pretrained(folder)
    export(path)
    if int8:
        from onnxruntime.quantization import QuantType, quantize_dynamic

        small = path.with_name("vision_model_int8.onnx")
        quantize_dynamic(path, small, weight_type=QuantType.QInt8, per_channel=True)
    return folder


def export(path: Path) -> None:
    """The picture tower as ONNX: pixel_values (B, 3, 224, 224) -> image_embeds (B, 512)."""
    import torch

    vit = model()

    class Embeds(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = vit

        def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
            return self.model(pixel_values).image_embeds

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, but quick
        torch.onnx.export(
            Embeds().eval(),
            (torch.randn(2, 3, SIDE, SIDE),),
            path,
            input_names=["pixel_values"],
            output_names=["image_embeds"],
            dynamic_axes={"pixel_values": {0: "batch"}, "image_embeds": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
