"""The 80 labels of COCO (Lin et al. 2014, arXiv:1405.0312) in its order, by super-class."""

from __future__ import annotations

from itertools import chain

BY_CATEGORY = {
    "person": ("person",),
    "vehicle": (*("bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),),
    "outdoor": ("traffic light", "fire hydrant", "stop sign", "parking meter", "bench"),
    "animal": (
        *("bird", "cat", "dog", "horse", "sheep"),
        *("cow", "elephant", "bear", "zebra", "giraffe"),
    ),
    "accessory": ("backpack", "umbrella", "handbag", "tie", "suitcase"),
    "sports": (
        *("frisbee", "skis", "snowboard", "sports ball", "kite"),
        *("baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket"),
    ),
    "kitchen": ("bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl"),
    "food": (
        *("banana", "apple", "sandwich", "orange", "broccoli"),
        *("carrot", "hot dog", "pizza", "donut", "cake"),
    ),
    "furniture": ("chair", "couch", "potted plant", "bed", "dining table", "toilet"),
    "electronic": ("tv", "laptop", "mouse", "remote", "keyboard", "cell phone"),
    "appliance": ("microwave", "oven", "toaster", "sink", "refrigerator"),
    "indoor": ("book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush"),
}
KINDS = ("person", "vehicle", "outdoor", "animal", "sports", "object")
LABELS = tuple(chain.from_iterable(BY_CATEGORY.values()))
UNUSED_IDS = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}  # of 1..90, never annotated
LABEL_OF_ID = dict(zip((i for i in range(1, 91) if i not in UNUSED_IDS), LABELS, strict=True))

_KIND_OF = {
    label: category if category in KINDS else "object"
    for category, labels in BY_CATEGORY.items()
    for label in labels
}


def kind_of(label: str) -> str:
    """The super-class of a label; what COCO does not know is an object."""
    return _KIND_OF.get(label, "object")
