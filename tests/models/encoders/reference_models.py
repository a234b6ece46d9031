"""Small models of transformers with random weights, exported as the hub's repositories are.

Every function writes a folder and returns what transformers itself makes of pictures and texts.
Image processors are those that use Pillow, as the hub's were when the models were trained.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.efficientnet.image_processing_pil_efficientnet import (
    EfficientNetImageProcessorPil,
)
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.tokenization_siglip2 import Siglip2Tokenizer
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

SIDE = 48
SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
SEEING = SMALL | {"image_size": SIDE, "patch_size": 16}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Reference:
    """What transformers makes of pictures and texts."""

    pixels: Callable[[Image.Image], np.ndarray] | None  # -> (3, H, W)
    images: Callable[[np.ndarray], np.ndarray] | None  # (B, 3, H, W) -> (B, D)
    texts: Callable[[Sequence[str]], np.ndarray] | None  # -> (Q, D)


def clip(folder: Path) -> Reference:
    """CLIP: two towers with projections."""
    text = SMALL | {"vocab_size": 600, "max_position_embeddings": 77, "eos_token_id": 599}
    config = transformers.CLIPConfig(
        text_config=text, vision_config=SEEING, projection_dim=24, attn_implementation="eager"
    )
    model = _random(transformers.CLIPModel(config))
    size = {"shortest_edge": SIDE}
    processor = CLIPImageProcessorPil(size=size, crop_size={"height": SIDE, "width": SIDE})
    tokenizer = _clip_tokenizer()
    _save(folder, config, processor, tokenizer)
    vision, words = Output(model, _clip_image), Output(model, _clip_text)
    _export_pictures(vision, folder / "onnx" / "vision_model.onnx", "image_embeds")
    ids = tokenizer(["a cat"], return_tensors="pt")
    _export_texts(words, ids, folder / "onnx" / "text_model.onnx", "text_embeds")
    return Reference(
        _pixels(processor),
        _run(vision),
        lambda t: _one_by_one(words, tokenizer, t, truncation=True),
    )


def _clip_image(model: Any, pixel_values: Any) -> Any:
    return model.visual_projection(model.vision_model(pixel_values).pooler_output)


def _clip_text(model: Any, input_ids: Any, attention_mask: Any) -> Any:
    pooled = model.text_model(input_ids=input_ids, attention_mask=attention_mask).pooler_output
    return model.text_projection(pooled)


def siglip(folder: Path) -> Reference:
    """SigLIP and SigLIP 2 at a fixed size, which have one architecture on the hub."""
    tokenizer = _siglip_tokenizer()
    text = SMALL | {"vocab_size": len(tokenizer), "max_position_embeddings": 64}
    config = transformers.SiglipConfig(
        text_config=text | {"projection_size": 32},
        vision_config=SEEING,
        attn_implementation="eager",
    )
    model = _random(transformers.SiglipModel(config))
    processor = SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    _save(folder, config, processor, tokenizer)
    vision = Output(model, lambda m, pixel_values: m.vision_model(pixel_values).pooler_output)
    words = Output(model, lambda m, input_ids: m.text_model(input_ids).pooler_output)
    _export_pictures(vision, folder / "onnx" / "vision_model.onnx", "pooler_output")
    filled = {"padding": "max_length", "max_length": 64, "truncation": True}
    ids = {"input_ids": tokenizer(["a cat"], return_tensors="pt", **filled)["input_ids"]}
    _export_texts(words, ids, folder / "onnx" / "text_model.onnx", "pooler_output")
    return Reference(
        _pixels(processor),
        _run(vision),
        lambda t: _one_by_one(words, tokenizer, t, keys=["input_ids"], **filled),
    )


def dinov2(folder: Path) -> Reference:
    """DINOv2: tokens, of which the first is compared."""
    few = {key: value for key, value in SEEING.items() if key != "intermediate_size"}
    config = transformers.Dinov2Config(**few, attn_implementation="eager")
    size = {"shortest_edge": 55}
    processor = BitImageProcessorPil(size=size, crop_size={"height": SIDE, "width": SIDE})
    model = _random(transformers.Dinov2Model(config))
    exported = Output(model, lambda m, pixel_values: m(pixel_values).last_hidden_state)
    features = Output(model, lambda m, pixel_values: m(pixel_values).last_hidden_state[:, 0])
    return _pictures_only(folder, config, processor, exported, features, "last_hidden_state")


def resnet(folder: Path) -> Reference:
    """ResNet, exported as a classifier."""
    config = transformers.ResNetConfig(
        embedding_size=16, hidden_sizes=[16, 32], depths=[1, 1], layer_type="basic", num_labels=5
    )
    processor = ConvNextImageProcessorPil(size={"shortest_edge": SIDE}, crop_pct=0.875)
    model = _random(transformers.ResNetForImageClassification(config))
    features = Output(model, lambda m, x: m.resnet(x).pooler_output.flatten(1))
    return _classifier(folder, config, processor, model, features)


def vit(folder: Path) -> Reference:
    """ViT, exported as a classifier."""
    config = transformers.ViTConfig(**SEEING, num_labels=5, attn_implementation="eager")
    processor = ViTImageProcessorPil(size={"height": SIDE, "width": SIDE})
    model = _random(transformers.ViTForImageClassification(config))
    features = Output(model, lambda m, x: m.vit(x).last_hidden_state[:, 0])
    return _classifier(folder, config, processor, model, features)


def deit(folder: Path) -> Reference:
    """DeiT with its distilled teacher: the mean of two classifiers, the first on the CLS token."""
    config = transformers.DeiTConfig(**SEEING, num_labels=5, attn_implementation="eager")
    size, crop = {"height": 55, "width": 55}, {"height": SIDE, "width": SIDE}
    processor = DeiTImageProcessorPil(size=size, crop_size=crop)
    model = _random(transformers.DeiTForImageClassificationWithTeacher(config))
    features = Output(model, lambda m, x: m.deit(x).last_hidden_state[:, 0])
    return _classifier(folder, config, processor, model, features)


def efficientnet(folder: Path) -> Reference:
    """EfficientNet, whose pixels are divided by their deviation twice."""
    config = transformers.EfficientNetConfig(
        image_size=SIDE,
        width_coefficient=0.5,
        depth_coefficient=0.3,
        hidden_dim=640,
        num_labels=5,
        in_channels=[32, 16],
        out_channels=[16, 24],
        strides=[1, 2],
        kernel_sizes=[3, 3],
        num_block_repeats=[1, 1],
        expand_ratios=[1, 6],
        depthwise_padding=[],
    )
    size = {"height": SIDE, "width": SIDE}
    processor = EfficientNetImageProcessorPil(size=size, resample=0, rescale_offset=False)
    model = _random(transformers.EfficientNetForImageClassification(config))
    features = Output(model, lambda m, x: m.efficientnet(x).pooler_output)
    return _classifier(folder, config, processor, model, features)


def bge(folder: Path) -> Reference:
    """BERT read at its first token; 1_Pooling/config.json says so, as in BAAI's repository."""
    return _bert(folder, pooling="cls")


def minilm(folder: Path) -> Reference:
    """BERT, the mean of its tokens."""
    return _bert(folder, pooling="mean")


def _bert(folder: Path, *, pooling: str) -> Reference:
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*specials, "cat", "red", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    numbered = {word: i for i, word in enumerate(vocabulary)}
    tokenizer = transformers.BertTokenizer(vocab=numbered, model_max_length=32)
    config = transformers.BertConfig(
        **SMALL, vocab_size=len(vocabulary), max_position_embeddings=32, attn_implementation="eager"
    )
    model = _random(transformers.BertModel(config, add_pooling_layer=False))
    _save(folder, model, tokenizer)
    (folder / "1_Pooling").mkdir()
    stated = f'{{"pooling_mode_cls_token": {str(pooling == "cls").lower()}, '
    stated += f'"pooling_mode_mean_tokens": {str(pooling == "mean").lower()}}}'
    (folder / "1_Pooling" / "config.json").write_text(stated)
    keys = ["input_ids", "attention_mask", "token_type_ids"]
    tokens = Output(model, lambda m, i, a, t: m(i, a, t).last_hidden_state)
    ids = tokenizer(["a cat"], return_tensors="pt")
    ids = {key: ids[key] for key in keys}
    _export_texts(tokens, ids, folder / "onnx" / "model.onnx", "last_hidden_state")
    pool = (lambda rows: rows[:, 0]) if pooling == "cls" else (lambda rows: rows.mean(1))
    pooled = Output(model, lambda m, i, a, t: pool(m(i, a, t).last_hidden_state))
    cut = {"truncation": True, "max_length": 32}
    return Reference(None, None, lambda t: _one_by_one(pooled, tokenizer, t, keys=keys, **cut))


class Output(torch.nn.Module):
    """A model, seen by one thing that it makes."""

    def __init__(self, model: Any, take: Callable[..., Any]) -> None:
        super().__init__()
        self.model, self.take = model, take
        self.eval()  # or the exporter would leave the model in training

    def forward(self, *inputs: Any) -> Any:
        return self.take(self.model, *inputs)


def _random(model: Any) -> Any:
    """Weights large enough for pictures to come out unlike; as they are made, they hardly do."""
    torch.manual_seed(0)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            fan_in = parameter[0].numel()
            torch.nn.init.normal_(parameter, std=2 * fan_in**-0.5)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.ones_(module.weight)
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.constant_(module.running_var, 0.1)
    return model.eval()


def _pictures_only(
    folder: Path, config: Any, processor: Any, exported: Output, features: Output, output: str
) -> Reference:
    _save(folder, config, processor)
    _export_pictures(exported, folder / "onnx" / "model.onnx", output)
    return Reference(_pixels(processor), _run(features), None)


def _classifier(
    folder: Path, config: Any, processor: Any, model: Any, features: Output
) -> Reference:
    scores = Output(model, lambda m, x: m(x).logits)
    return _pictures_only(folder, config, processor, scores, features, "logits")


def _save(folder: Path, *parts: Any) -> None:
    for part in parts:
        part.save_pretrained(folder)
    (folder / "onnx").mkdir()


def _export_pictures(module: Output, path: Path, output: str) -> None:
    example = (torch.randn(2, 3, SIDE, SIDE),)
    _export(module, example, path, ["pixel_values"], output, {0: "batch"})


def _export_texts(module: Output, ids: Any, path: Path, output: str) -> None:
    has_fixed_length = len(ids) == 1
    axes = {0: "batch"} if has_fixed_length else {0: "batch", 1: "tokens"}
    _export(module, tuple(ids.values()), path, list(ids), output, axes)


def _export(
    module: Output, example: Any, path: Path, inputs: list[str], output: str, axes: dict[int, str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, but quick
        torch.onnx.export(
            module,
            example,
            path,
            input_names=inputs,
            output_names=[output],
            dynamic_axes=dict.fromkeys(inputs, axes) | {output: {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )


def _pixels(processor: Any) -> Callable[[Image.Image], np.ndarray]:
    return lambda image: np.asarray(processor(image, return_tensors="np")["pixel_values"][0])


def _run(module: Output) -> Callable[[np.ndarray], np.ndarray]:
    def run(pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return module(torch.from_numpy(pixels)).numpy()

    return run


def _one_by_one(
    module: Output,
    tokenizer: Any,
    texts: Sequence[str],
    keys: Sequence[str] = ("input_ids", "attention_mask"),
    **how: Any,
) -> np.ndarray:
    rows = []
    for text in texts:
        ids = tokenizer([text], return_tensors="pt", **how)
        with torch.inference_mode():
            rows.append(module(*(ids[key] for key in keys)).numpy())
    return np.concatenate(rows)


def _clip_tokenizer() -> Any:
    """CLIP's, with every letter a token."""
    from tokenizers.pre_tokenizers import ByteLevel

    signs = sorted(ByteLevel.alphabet())
    words = [*signs, *(f"{sign}</w>" for sign in signs), "ca", "cat</w>"]
    vocabulary = {word: i for i, word in enumerate(words)}
    vocabulary |= {"<|startoftext|>": 598, "<|endoftext|>": 599}
    merges = [("c", "a"), ("ca", "t</w>")]
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77)


def _siglip_tokenizer() -> Any:
    """SigLIP 2's, with every letter a token."""
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    numbers = [f"<0x{byte:02X}>" for byte in range(256)]
    vocabulary = [*specials, *numbers, "▁", *LETTERS, *LETTERS.upper(), "ca", "cat"]
    return Siglip2Tokenizer(
        vocab={word: i for i, word in enumerate(vocabulary)},
        merges=[("c", "a"), ("ca", "t")],
        padding_side="right",
        add_eos_token=True,
    )
