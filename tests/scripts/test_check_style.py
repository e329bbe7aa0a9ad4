# SPDX-License-Identifier: BSD-3-Clause
"""scripts/check-style: what it takes for a function, and which titles of commits it lets pass."""

import subprocess
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest

from lab_kit.checkout import ROOT


@pytest.fixture(scope="module")
def style():
    loader = SourceFileLoader("check_style", str(ROOT / "scripts" / "check-style"))
    module = module_from_spec(spec_from_loader("check_style", loader))
    loader.exec_module(module)
    return module


CODE = r"""// void commented() {
#define MACRO(x) \
  void x() {     \
  }
namespace {
const char* kBrace = "{ (";
constexpr std::array<int, 2> kNumbers{1, 2};
enum class Kind : uint8_t { kOne, kTwo };
template <typename T>
class alignas(64) Box : public Base<T> {
 public:
  explicit Box(int size)
      : size_{size}, name_("}") {
    fill();
  }
  int size() const { return size_; }

 private:
  int size_{0};
};
struct Point make_point() {
  return {.x = 1'000, .y = '{'};
}
auto kTable = make({
    {"one", 1},
});
}  // namespace
TEST(Box, IsSmall) {
  auto lambda = [](int x) { return x; };
  EXPECT_EQ(R"({{{)", lambda(1));
}
"""


def test_functions_are_found(style):
    lines = CODE.splitlines()
    found = [(lines[first - 1].strip(), last - first + 1)
             for first, last in style.cpp_functions(CODE)]
    assert found == [("explicit Box(int size)", 4), ("int size() const { return size_; }", 1),
                     ("struct Point make_point() {", 3), ("TEST(Box, IsSmall) {", 4)]


def test_what_is_too_long_is_named(style):
    text = "void f() {\n" + "  g();\n" * 69 + "}\n" + "// " + "x" * 98 + "\n" + "\n" * 429
    assert list(style.complaints_about("a.cc", text, ".cc")) == [
        (72, "101 columns, 100 at most"), (501, "a file of 501 lines, 500 at most"),
        (1, "a function of 71 lines, 70 at most")]
    python = "def f():\n" + "    g()\n" * 70
    assert list(style.complaints_about("a.py", python, ".py")) == [
        (1, "a function of 71 lines, 70 at most")]


@pytest.mark.parametrize("title, body, wrong", [
    ("dataplane: drop what an older connection sends", "Why.", []),
    ("dataplane, control: take the field's words", "Why.", []),
    ("flow log: tell of refused SYNs", "Why.", []),
    ("dataplane: " + "x" * 50, "Why.", ["61 characters"]),
    ("Drop what is old", "Why.", ["not `area: imperative`"]),
    ("dataplane: Drop what is old.", "Why.", ["not `area: imperative`"]),
    ("dataplane: drop what is old", "\n", ["no body"]),
])
def test_titles(style, title, body, wrong):
    found = list(style.commit_complaints([("1234567", title, body)]))
    assert len(found) == len(wrong)
    assert all(word in complaint for word, complaint in zip(wrong, found))


def test_a_commit_without_a_body_is_named(style):
    log = "1234567\x1fdataplane: drop what is old\x1f\x1e\n89abcde\x1fdocs: say why\x1fWhy.\n\x1e\n"
    assert list(style.commit_complaints(style.records_of(log))) == [
        "commit 1234567: no body that says why: dataplane: drop what is old"]


def test_without_git_it_looks_at_the_files(tmp_path):
    """A tree that is no repository: the files are held all the same, there are no commits."""
    (tmp_path / "scripts").mkdir()
    program = tmp_path / "scripts" / "check-style"
    program.write_bytes((ROOT / "scripts" / "check-style").read_bytes())
    (tmp_path / "scripts" / "long.py").write_text("#" * 101 + "\n")
    done = subprocess.run(["/usr/bin/python3", program], text=True, capture_output=True)
    assert done.returncode == 1, done
    assert done.stdout == "scripts/long.py:1: 101 columns, 100 at most\n"
