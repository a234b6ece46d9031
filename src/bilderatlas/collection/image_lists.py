"""A list of images as it is at one moment, any stretch of it at hand."""

from __future__ import annotations

from bilderatlas.collection import images
from bilderatlas.collection.browse import Listed
from bilderatlas.results import Beside, Images, Month


class ImageList:
    """The images of one list, in their order. Made by `Collection.listed`."""

    def __init__(self, listed: Listed) -> None:
        self._listed = listed

    def __len__(self) -> int:
        return len(self._listed.numbers)

    def stretch(self, start: int, n: int) -> Images:
        """The n images from the place `start` on."""
        numbers = self._listed.numbers[start : start + n]
        return Images(images=tuple(images.facts(self._listed.catalogue, numbers.tolist())))

    def months(self) -> list[Month]:
        """The months in which the images were taken, in the order of a list by date."""
        return self._listed.months()

    def beside(self, image_id: str) -> Beside | None:
        """Where an image stands; None where it is not in the list."""
        number = self._listed.catalogue.number_of_id(image_id)
        place = None if number is None else self._listed.place_of(number)
        if place is None:
            return None
        return Beside(place, len(self), self._id(place - 1), self._id(place + 1))

    def _id(self, place: int) -> str | None:
        if not 0 <= place < len(self):
            return None
        number = int(self._listed.numbers[place])
        image_id: str = self._listed.catalogue.image_ids[number].as_py()
        return image_id
