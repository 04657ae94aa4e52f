"""Training of the recogniser of lines: words, labels, drawing, damage, and a tiny model from end to end."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import ImageFont

from geoagent import plugs
from geoagent.errors import ConfigError, InputError, MissingDependency, OcrError, ResourceError, WeightsError
from geoagent.evidence.ocr._classes import SCRIPTS, Classes, logical
from geoagent.evidence.ocr._multiscript import MODEL, MultiscriptLines
from geoagent.evidence.ocr.training import render
from geoagent.evidence.ocr.training.card import Card, sha256_of
from geoagent.evidence.ocr.training.charset import (
    ASCII_LETTERS,
    COMMON,
    HAN,
    characters,
    fold,
    is_drawable,
    label,
    letters_in,
    letters_of,
    main_script,
    typed,
)  # fmt: skip
from geoagent.evidence.ocr.training.damage import HEIGHT_PX, to_height
from geoagent.evidence.ocr.training.fonts import PACKAGES, Face, Fonts, choose
from geoagent.evidence.ocr.training.material import SHARES, Material
from geoagent.evidence.ocr.training.render import draw_line, shaping_works, side_by_side
from geoagent.evidence.ocr.training.samples import Batches, Sampler, collate, steps_needed
from geoagent.evidence.ocr.training.texts import collect, few
from geoagent.evidence.ocr.training.validate import confidences, greedy, onnx_reader, score, validation_lines
from geoagent.interfaces.cli import main

PANGRAMS = ["TAXI", "HOTEL", "CAFE", "Bar", "Kiosk", "Post", "Museum", "Zoo"]
needs_fonttools = pytest.mark.skipif(
    find_spec("fontTools") is None, reason="fonttools is not installed (pip install 'geoagent-photo[reader]')"
)
needs_shaping = pytest.mark.skipif(not shaping_works(), reason="Pillow shapes no text here (apt install libfribidi0)")


def need_torch() -> None:
    for package in ("torch", "onnx"):
        pytest.importorskip(package, reason=f"{package} is not installed (pip install 'geoagent-photo[reader]')")


@pytest.fixture(scope="session")
def font(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pillow's own font as a file: it has Latin letters, and is there wherever Pillow is."""
    own = ImageFont.load_default(20)
    assert isinstance(own, ImageFont.FreeTypeFont)
    path = tmp_path_factory.mktemp("fonts") / "Own-Regular.ttf"
    own.path.seek(0)
    path.write_bytes(own.path.read())
    return path


@pytest.fixture(scope="session")
def material(font: Path) -> Material:
    """A handful of Latin words in one font, which is held out as well, so that there is something to validate with."""
    words = few(PANGRAMS)
    face = Face(font, "Own", {"Latn": frozenset()}, frozenset(COMMON + ASCII_LETTERS) - {"№"})
    fonts = Fonts({"Latn": (face,)}, {"Latn": (face,)})
    return Material(words, fonts, characters(letters_of(words.all_of(), least=1)))


class TestCharset:
    @pytest.mark.parametrize(
        ("text", "script"),
        [
            ("한국 식당", "Hang"),
            ("مطعم 24", "Arab"),
            ("דואר", "Hebr"),
            ("שוק 12-14 כרמל", "Hebr"),
            ("Аптека", "Cyrl"),
            ("क्षत्रिय", "Deva"),
            ("คาเฟ่ 7", "Thai"),
        ],
    )
    def test_a_label_becomes_the_text_again(self, text: str, script: str):
        assert main_script(text) == script
        spelt = label(text, script)
        classes = Classes(characters({script: "".join(sorted(set(fold(text, script))))}))
        ids = [classes.characters.index(c) + 1 for c in spelt]
        path = [step for i in ids for step in (i, 0)]
        probs = np.eye(len(classes.characters) + 1, dtype=np.float32)[path]
        assert classes.decode(probs, script)[0] == text

    def test_hangul_is_spelt_as_jamo(self):
        assert label("한", "Hang") == "\u1112\u1161\u11ab"
        found = letters_of({"Hang": ["한"]}, least=1)["Hang"]
        assert found == "\u1112\u1161\u11ab"

    def test_lines_from_right_to_left_are_spelt_as_seen(self):
        assert label("אב 12", "Hebr") == "12 בא"
        assert logical(label("אב 12", "Hebr")) == "אב 12"

    def test_latin_loses_its_accents_and_han_is_one_sign(self):
        assert fold("Łódź Straße Đà Nẵng", "Latn") == "Lodz Strasse Da Nang"
        assert label("東京", "Hani") == HAN * 2

    def test_letters_are_those_that_are_frequent_and_a_script_gets_its_digits(self):
        found = letters_of({"Thai": ["กข"] * 8 + ["ค"]})
        assert "ก" in found["Thai"]
        assert "ค" not in found["Thai"]
        assert "๙" in found["Thai"]
        assert letters_of({"Cyrl": ["ж"] * 8})["Cyrl"] == "Жж"

    def test_letters_are_found_again_in_a_models_characters(self):
        letters = {"Cyrl": "Жж", "Hang": "\u1112\u1161"}
        assert {k: v for k, v in letters_in(characters(letters)).items() if k != "Latn"} == letters

    def test_words_are_typed_plainly(self):
        assert typed("  مُطْعَم\u00a0‘x’ ") == "مطعم 'x'"
        assert is_drawable("Ул. 5", "Cyrl")
        assert not is_drawable("Ул. 東", "Cyrl")
        assert not is_drawable("(מלון)", "Hebr")


class TestTexts:
    def test_lists_and_tables_are_read_and_what_is_absent_is_named(self, tmp_path: Path, monkeypatch):
        from geoagent.evidence.ocr.training import texts

        monkeypatch.setattr(texts, "find_spec", lambda name: None)
        (tmp_path / "more.txt").write_text("хлебозавод\nไปรษณีย์\nx\n", "utf-8")
        words = collect([tmp_path])
        assert "хлебозавод" in words.by_script["Cyrl"]["word"]
        assert "ไปรษณีย์" in words.by_script["Thai"]["word"]
        assert len(words.by_script["Cyrl"]["sign"]) > 100
        absent = {s.name: s.absent for s in words.sources if s.absent}
        assert len(absent) == 2
        assert all("pip install 'geoagent-photo[reader]'" in why for why in absent.values())

    def test_a_folder_that_is_not_there(self, tmp_path: Path):
        with pytest.raises(InputError, match="no such folder"):
            collect([tmp_path / "no"])

    def test_words_of_no_known_script(self):
        with pytest.raises(InputError, match="in no script"):
            few(["123"])


class TestDrawing:
    def test_a_line_is_drawn_and_cut(self, font: Path):
        ink = draw_line("HOTEL", font, size_px=40)
        assert ink.alpha.dtype == np.uint8
        assert ink.alpha.max() == 255
        assert ink.alpha[0].any()
        assert ink.alpha[:, 0].any()
        assert -40 < ink.top_px < 0
        wider = draw_line("HOTEL", font, size_px=40, spacing_px=10)
        assert wider.alpha.shape[1] > ink.alpha.shape[1] + 20
        assert draw_line("HOTEL", font, size_px=80).alpha.shape[1] > 1.8 * ink.alpha.shape[1]

    def test_parts_stand_on_one_baseline(self, font: Path):
        low, high = draw_line("g", font), draw_line("T", font)
        both = side_by_side([low, high], 5)
        assert both.alpha.shape[1] == low.alpha.shape[1] + high.alpha.shape[1] + 5
        assert both.top_px == high.top_px
        bottom = max(ink.top_px + len(ink.alpha) for ink in (low, high))
        assert both.top_px + len(both.alpha) == bottom

    def test_what_cannot_be_drawn(self, font: Path, tmp_path: Path):
        with pytest.raises(InputError, match="cannot draw"):
            draw_line(" ", font)
        (tmp_path / "no.ttf").write_text("no font")
        with pytest.raises(InputError, match="cannot draw"):
            draw_line("A", tmp_path / "no.ttf")

    def test_without_shaping_the_message_says_what_to_install(self, font: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(render.features, "check", lambda name: False)
        assert not shaping_works()
        with pytest.raises(MissingDependency, match="apt install libfribidi0"):
            draw_line("مطعم", font)

    @needs_shaping
    def test_arabic_letters_join(self):
        found = sorted(Path("/usr/share/fonts").rglob("DejaVuSans.ttf")) or sorted(
            Path("/usr/share/fonts").rglob("NotoSansArabic-Regular.ttf")
        )
        if not found:
            pytest.skip("no font with Arabic letters (apt install fonts-dejavu-core)")
        assert shaping_works(found[0])
        joined = draw_line("مستشفى", found[0])
        apart = draw_line("مستشفى", found[0], spacing_px=1)
        assert joined.alpha.shape[1] < apart.alpha.shape[1]


class TestFonts:
    @needs_fonttools
    def test_a_font_is_found_by_what_it_can_draw(self, font: Path):
        fonts = choose([font.parent], {"Latn": ASCII_LETTERS, "Deva": "कखग"})
        assert list(fonts.train) == ["Latn"]
        face = fonts.train["Latn"][0]
        assert face.drawable("Bar", "Latn") == "Bar"
        assert fonts.held == {}  # the only family is not held out

    @needs_fonttools
    def test_the_message_names_packages(self, font: Path):
        with pytest.raises(InputError, match=r"apt install fonts-noto-core .*fonts-sil-padauk"):
            choose([font.parent], {"Mymr": "ကခဂ"})

    def test_every_script_that_is_drawn_has_packages(self):
        assert {*PACKAGES, "Latn"} == {*SHARES, "*"}
        assert set(SHARES) - {"Hani", "Latn"} == set(SCRIPTS)

    def test_a_face_refuses_letters_that_it_lacks_and_drops_marks(self):
        face = Face(Path("x.ttf"), "X", {"Cyrl": frozenset("ж")}, frozenset("a1"))
        assert face.drawable("жук", "Cyrl") is None
        assert face.drawable("лук №1", "Cyrl") == "лук 1"


class TestSamples:
    def test_the_same_seed_makes_the_same_lines(self, material: Material):
        def made(seed: int) -> list[tuple[str, list[bytes]]]:
            sampler = Sampler(material, seed)
            samples = [s for s in (sampler.sample() for _ in range(12)) if s is not None]
            return [(s.label, [v.tobytes() for v in s.views]) for s in samples]

        assert len(made(5)) > 6
        assert made(5) == made(5)
        assert made(5) != made(6)

    def test_lines_have_the_height_and_labels_the_characters_of_the_model(self, material: Material):
        sampler = Sampler(material, 1)
        for sample in sampler.lines("Latn", 10):
            assert sample.views[0].shape[0] == HEIGHT_PX
            assert set(sample.label) <= set(material.characters)

    def test_batches_leave_ctc_enough_steps(self, material: Material):
        batch = Batches(Sampler(material, 2), 4, 2).draw(easy=True)
        assert batch.images.shape[:2] == (len(batch.labels), HEIGHT_PX)
        for ids, length in zip(batch.labels, batch.lengths, strict=True):
            assert steps_needed(ids[:length].tolist()) <= batch.images.shape[2] // 4
            assert not ids[length:].any()

    def test_a_doubled_letter_needs_a_step_more(self):
        assert steps_needed([3, 4, 4, 5]) == 5

    def test_no_script_with_words_and_a_font(self, material: Material):
        with pytest.raises(InputError, match="no script has both"):
            Sampler(Material(few(["жук"]), material.fonts, material.characters), 1)


class TestFigures:
    def test_repeats_and_blanks(self):
        assert greedy([1, 1, 0, 1, 2, 2], "ab") == "aab"

    def test_a_perfect_reader_has_no_errors_and_a_blind_one_only_errors(self, material: Material):
        samples = validation_lines(material, 6)
        assert len(samples) == 6
        classes = len(material.characters) + 1

        def blind(images: np.ndarray) -> np.ndarray:
            return np.eye(classes, dtype=np.float32)[np.zeros((len(images), images.shape[2] // 4), dtype=int)]

        found = score(blind, samples, material.characters)
        assert found["all"] == found["Latn"]
        assert (found["all"].cer, found["all"].lines_right, found["all"].lines) == (1.0, 0.0, 6)

    def test_confidence_that_is_too_high_is_lowered(self):
        rng = np.random.default_rng(0)
        stated = rng.uniform(0.6, 0.99, 300)
        rows = [("Arab", float(p), bool(rng.random() < p - 0.3)) for p in stated]
        fitted = confidences([*rows, ("Thai", 0.9, True)])
        assert set(fitted) == {"Arab"}  # one line says nothing
        assert float(fitted["Arab"].apply(0.9)) == pytest.approx(0.6, abs=0.1)
        assert fitted["Arab"].brier_fitted < fitted["Arab"].brier

    def test_confidence_that_is_right_stays(self):
        rng = np.random.default_rng(1)
        rows = [("Arab", float(p), bool(rng.random() < p)) for p in rng.uniform(0.1, 0.99, 2000)]
        assert confidences(rows)["Arab"].apply([0.3, 0.8]) == pytest.approx([0.3, 0.8], abs=0.06)


class TestCard:
    def test_the_card_that_ships_is_that_of_the_model_that_ships(self):
        card = Card.load(MODEL)
        assert set(card.scripts) == set(SCRIPTS)
        assert card.sha256 == sha256_of(MODEL)
        assert set(card.validation) == set(SCRIPTS)

    def test_a_card_of_another_model_is_refused(self, tmp_path: Path):
        model = tmp_path / "m.onnx"
        model.write_bytes(b"a")
        with pytest.raises(ResourceError, match="no card"):
            Card.load(model)
        card = Card("m", "ONNX", sha256_of(model), ("Thai",), {"seed": 1}, ("words",))
        card.save(model)
        assert Card.load(model) == card
        model.write_bytes(b"b")
        with pytest.raises(ResourceError, match="hashes differ"):
            Card.load(model)


class TestEngine:
    def test_a_package_in_the_folder_is_no_engine(self):
        assert "training" not in plugs.names("ocr")
        assert "multiscript" in plugs.names("ocr")

    def test_a_model_that_is_not_there(self, tmp_path: Path):
        with pytest.raises(ConfigError, match="is no file"):
            plugs.build("ocr", "multiscript", None, model=tmp_path / "no.onnx")

    def test_a_file_that_is_no_model(self, tmp_path: Path):
        path = tmp_path / "no.onnx"
        path.write_text("no model")
        with pytest.raises(OcrError, match="name a model that geoagent train-reader made"):
            MultiscriptLines(path).read(np.zeros((48, 96, 3), dtype=np.uint8), "Thai")


@pytest.fixture(scope="session")
def trained(material: Material, tmp_path_factory: pytest.TempPathFactory):
    """What a short run of a tiny network leaves."""
    need_torch()
    from geoagent.evidence.ocr.training.network import Shape
    from geoagent.evidence.ocr.training.train import ReaderSettings, train

    shape = Shape(channels=(8, 8, 8), depth=(1, 1, 1), width=8, layers=1, heads=1)
    how = ReaderSettings(
        seconds=600, steps=20, workers=0, device="cpu", batch=4, easy=1.0, rate=1e-2, validation=4, shape=shape
    )
    return train(material, tmp_path_factory.mktemp("reader"), settings=how)


def upright(word: str, font: Path) -> np.ndarray:
    """A word in black on white, `(H, W)` grey."""
    return np.asarray(255 - np.pad(draw_line(word, font, size_px=40).alpha, 4), dtype=np.uint8)


@pytest.mark.slow
class TestTraining:
    def test_a_network_learns_words_and_its_model_reads_them(self, material: Material, font: Path, tmp_path: Path):
        need_torch()
        from geoagent.evidence.ocr.training.export import export
        from geoagent.evidence.ocr.training.learner import Learner, probabilities, rates
        from geoagent.evidence.ocr.training.network import Shape

        words, steps = ("TAXI", "HOTEL", "CAFE"), 200
        index = {c: i + 1 for i, c in enumerate(material.characters)}
        rows = [
            (to_height(image), [index[c] for c in word])
            for word in words
            for image in (upright(word, font), 255 - upright(word, font))
        ]
        batch = collate(rows, max(image.shape[1] for image, _ in rows) // 16 * 16 + 16)
        shape = Shape(channels=(16, 16, 16), depth=(0, 1, 1), width=32, layers=0, heads=1)
        learner = Learner.new(material.characters, shape, "cpu", seed=1)
        losses = [learner.step(batch, rates(step / steps, step, 1e-2)) for step in range(steps)]
        assert losses[-1] < 0.1 < losses[0]

        net = learner.checkpoint().network().eval()
        wanted = probabilities(net, batch.images)
        for form, near in (("single", 1e-4), ("half", 0.02), ("eight_bit", 0.2)):
            model = export(learner.checkpoint(), tmp_path / f"{form}.onnx", form)
            read, chars = onnx_reader(model)
            assert chars == material.characters
            np.testing.assert_allclose(read(batch.images), wanted, atol=near)
            lines = MultiscriptLines(model)
            for word in words:
                crop = np.repeat(upright(word, font)[:, :, None], 3, axis=2)
                lines.read(crop, "Thai")
                assert Classes(chars).decode(lines._probs(crop), "Latn")[0] == word

    def test_a_run_leaves_a_model_that_the_engine_takes(self, trained):
        read, chars = onnx_reader(trained.model)
        assert read(np.zeros((2, 48, 96), dtype=np.uint8)).shape == (2, 24, len(chars) + 1)
        engine = plugs.build("ocr", "multiscript", None, model=str(trained.model))
        assert engine.name == "multiscript"
        assert "loss" in (trained.model.parent / "training.log").read_text("utf-8")

    def test_its_card_is_read_back(self, trained, material: Material):
        card = Card.load(trained.model)
        assert card.training["steps"] == 20
        assert card.training["seed"] == 1
        assert set(card.validation) == {"Latn", "all"}
        assert json.loads(trained.model.with_suffix(".json").read_text("utf-8"))["sha256"] == card.sha256

    def test_a_checkpoint_continues(self, trained, material: Material, tmp_path: Path):
        from geoagent.evidence.ocr.training.network import Checkpoint
        from geoagent.evidence.ocr.training.train import ReaderSettings, train

        start = Checkpoint.load(trained.checkpoint)
        how = ReaderSettings(seconds=600, steps=2, workers=0, device="cpu", batch=4, easy=1.0, validation=0)
        more = train(material, tmp_path, start=start, settings=how)
        assert more.losses[0] < trained.losses[0]
        assert Checkpoint.load(more.checkpoint).lines > start.lines
        other = Material(material.words, material.fonts, (*material.characters, "ж"))
        with pytest.raises(ConfigError, match="other characters"):
            train(other, tmp_path, start=start, settings=how)

    def test_an_interrupt_leaves_a_checkpoint(self, material: Material, tmp_path: Path):
        need_torch()
        from geoagent.evidence.ocr.training.network import Checkpoint, Shape
        from geoagent.evidence.ocr.training.train import ReaderSettings, train

        def interrupt(what: str, done: int, total: int) -> None:
            raise KeyboardInterrupt

        shape = Shape(channels=(8, 8, 8), depth=(1, 1, 1), width=8, layers=1, heads=1)
        how = ReaderSettings(seconds=600, workers=0, device="cpu", batch=4, validation=0, shape=shape)
        made = train(material, tmp_path, settings=how, progress=interrupt)
        assert made.model is None
        assert Checkpoint.load(made.checkpoint).characters == material.characters

    def test_the_same_seed_makes_the_same_weights(self, material: Material, tmp_path: Path):
        need_torch()
        from geoagent.evidence.ocr.training.network import Checkpoint, Shape
        from geoagent.evidence.ocr.training.train import ReaderSettings, train

        shape = Shape(channels=(8, 8, 8), depth=(1, 1, 1), width=8, layers=1, heads=1)
        how = ReaderSettings(seconds=600, steps=3, workers=0, device="cpu", batch=4, validation=0, shape=shape)
        heads = []
        for name in "ab":
            made = train(material, tmp_path / name, settings=how)
            heads.append(Checkpoint.load(made.checkpoint).weights["head.weight"].numpy())
        np.testing.assert_array_equal(*heads)

    def test_a_file_that_is_no_checkpoint(self, tmp_path: Path):
        need_torch()
        from geoagent.evidence.ocr.training.network import Checkpoint

        (tmp_path / "no.pt").write_text("no checkpoint")
        with pytest.raises(WeightsError, match="is no checkpoint of a reader"):
            Checkpoint.load(tmp_path / "no.pt")

    def test_workers_draw_what_one_process_draws(self, material: Material):
        need_torch()
        from geoagent.evidence.ocr.training.stream import Stream

        here, there = (next(Stream(material, 4, 3, workers, easy=True)) for workers in (0, 1))
        np.testing.assert_array_equal(here.images, there.images)


def test_the_command_says_what_it_does():
    result = CliRunner().invoke(main, ["train-reader", "--help"])
    assert result.exit_code == 0
    assert "geoagent train-reader --fonts" in result.output
