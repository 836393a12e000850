"""`make report` of a database, looked at in Chromium: one page with nothing outside it, whose charts are drawn and whose figures are the
database's, also where names and values are HTML, JavaScript or formulas.

docs/report.png is its picture of the page; WRITE=1 writes it, otherwise the page must still look like it."""

import base64
import os
import pathlib
import shutil
import subprocess
import tempfile

import psycopg
from selenium import webdriver
from selenium.webdriver.common.by import By

HERE = pathlib.Path(__file__).parent
CHARTS = 7
PICTURE = HERE.parent / "docs/report.png"
# of 255, on average over a small copy: fonts and versions of Chromium differ by less, another layout by more
MOST_UNLIKE = 6
COMPARE = """
    const done = arguments[2];
    const pixels = async source => {
        const image = new Image();
        image.src = 'data:image/png;base64,' + source;
        await image.decode();
        const canvas = new OffscreenCanvas(120, Math.round(120 * image.height / image.width)).getContext('2d');
        canvas.imageSmoothingQuality = 'high';
        canvas.drawImage(image, 0, 0, canvas.canvas.width, canvas.canvas.height);
        return canvas.getImageData(0, 0, canvas.canvas.width, canvas.canvas.height).data;
    };
    Promise.all([pixels(arguments[0]), pixels(arguments[1])]).then(([a, b]) =>
        done(a.length === b.length ? a.reduce((sum, value, place) => sum + Math.abs(value - b[place]), 0) / (a.length * 3 / 4) : 255));
"""

with psycopg.connect(autocommit=True) as connection:
    connection.execute((HERE / "report.sql").read_text())
    quality = connection.execute("SELECT sum(lead_count), sum(valid), sum(unique_numbers), count(*) FROM lead_phone_quality('leads')").fetchone()

with tempfile.TemporaryDirectory() as work:
    page = pathlib.Path(work, "report.html")
    subprocess.run([HERE.parent / "tools/report.sh", page], check=True)
    text = page.read_text()
    for outside in ("http:", "https:", "src=", "@import", "url(h", "<script", "<img", "<link"):
        # matplotlib names the namespaces of SVG
        assert outside not in text.replace('xmlns:xlink="http:', "").replace('xmlns="http:', ""), outside
    assert "+16789991" not in text, "a number is shown in full"

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
                     "--disable-sync", f"--user-data-dir={work}/chromium"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver"))) as browser:
        for width in (1280, 390):
            browser.set_window_size(width, 900)
            browser.get(page.as_uri())
            assert browser.get_log("browser") == []
            sections = browser.find_elements(By.TAG_NAME, "section")
            assert [section.find_element(By.TAG_NAME, "h2").text for section in sections] == ['"<b>$x$</b>"."le""ads"', "crm.contacts", "leads", "people"]
            assert browser.execute_script("return document.documentElement.scrollWidth <= document.documentElement.clientWidth"), f"too wide for {width}"
            called = sections.pop(1)
            assert called.find_elements(By.CSS_SELECTOR, "figure svg")[-1].accessible_name == "crm.contacts: calls by disposition"
            assert "voicemail" in called.text
            figures = [value.text for value in sections[1].find_elements(By.TAG_NAME, "dd")]
            assert (figures[0], figures[2].split()[0], figures[4]) == tuple(f"{value:,}" for value in quality[:3]), figures
            assert len(sections[1].find_element(By.CSS_SELECTOR, "table").find_elements(By.CSS_SELECTOR, "tbody tr")) == quality[3]
            charts = sections[1].find_elements(By.CSS_SELECTOR, "figure svg")
            assert len(charts) == CHARTS
            for chart in charts:
                box = chart.rect
                assert box["width"] > 250 and box["height"] > 40, (chart.accessible_name, box)
                assert chart.accessible_name.startswith("leads: ")
                # every bar and label inside of the chart
                outside = browser.execute_script("""
                    const box = arguments[0].getBoundingClientRect();
                    return [...arguments[0].querySelectorAll('text, [id*=patch] path')].map(e => [e, e.getBoundingClientRect()])
                        .filter(([e, r]) => r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1)
                        .map(([e, r]) => e.textContent || e.id)""", chart)
                assert outside == [], (chart.accessible_name, outside)
            assert "fax 10, <i>tel</i> 3" in sections[2].text and "NULL" not in sections[2].text, sections[2].text
            assert "None." in sections[0].text and "<script>alert(1)</script>" in sections[0].text

        browser.set_window_size(1000, 20000)
        browser.get(page.as_uri())
        section = browser.find_elements(By.TAG_NAME, "section")[2]
        top = section.find_element(By.TAG_NAME, "h2").rect["y"]
        shown = browser.execute_cdp_cmd("Page.captureScreenshot", {
            "clip": {"x": 0, "y": top - 12, "width": section.rect["width"] + 2 * section.rect["x"], "height": 985, "scale": 1}})["data"]
        if os.environ.get("WRITE"):
            PICTURE.write_bytes(base64.b64decode(shown))
        unlike = browser.execute_async_script(COMPARE, shown, base64.b64encode(PICTURE.read_bytes()).decode())
        assert unlike < MOST_UNLIKE, f"{PICTURE.name} looks otherwise ({unlike:.1f} of 255): WRITE=1 tests/one.sh python.sh report writes it"
print(f"{page.name}: {len(text):,} characters, {CHARTS} charts a table")
