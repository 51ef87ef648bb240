"""Many scripts become one."""

from pathlib import Path

import pytest

from testbed.results.page.inlining import ModuleError, script


def written(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        file = folder / f"{name.replace('__', '/')}.js"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return folder


def test_modules_come_before_those_that_import_them_and_once(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        main='import { a } from "./sub/a.js";\nimport { b } from "./b.js";\nshow(a, b);\n',
        sub__a='import { b } from "../b.js";\nexport const a = b;\n',
        b="export function b() {}\nexport class C {}\n",
    )
    text = script(folder=folder)
    assert [text.count(f'modules["{name}"] =') for name in ("b.js", "sub/a.js", "main.js")] == [1, 1, 1]
    assert text.index('modules["b.js"] =') < text.index('modules["sub/a.js"] =') < text.index('modules["main.js"] =')
    assert "return { b, C };" in text
    assert 'const { b } = modules["b.js"];' in text


@pytest.mark.parametrize("line", ["export default 1;", 'import x from "./b.js";', "export { x };"])
def test_what_cannot_be_inlined_is_refused(tmp_path: Path, line: str) -> None:
    folder = written(tmp_path, main=f"{line}\n", b="")
    with pytest.raises(ModuleError, match=r"main\.js: .* is neither a named import nor an exported declaration"):
        script(folder=folder)


def test_circle_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, main='import { a } from "./a.js";\n', a='import { b } from "./main.js";\n')
    with pytest.raises(ModuleError, match="imports itself"):
        script(folder=folder)
