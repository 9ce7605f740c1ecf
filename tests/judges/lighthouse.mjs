// Judges pages with Lighthouse: mobile, with the slow connection and processor of its default, simulated.
// Reads {chrome, pages: [{url, cookie, skipAudits, isAgain}]} from standard input and prints one JSON line for each page.
import { readFileSync } from "node:fs";
import * as chromeLauncher from "chrome-launcher";
import lighthouse from "lighthouse";

const { chrome, pages } = JSON.parse(readFileSync(0, "utf-8"));
const launched = await chromeLauncher.launch({
  chromePath: chrome,
  chromeFlags: ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"],
  logLevel: "silent",
});
try {
  for (const { url, cookie, skipAudits, isAgain } of pages) {
    const { lhr } = await lighthouse(url, {
      port: launched.port,
      logLevel: "silent",
      output: "json",
      extraHeaders: cookie ? { Cookie: cookie } : undefined,
      skipAudits: ["screenshot-thumbnails", "final-screenshot", ...skipAudits],
      disableStorageReset: isAgain,
      disableFullPageScreenshot: true,
    });
    if (lhr.runtimeError) {
      throw new Error(`${url}: ${lhr.runtimeError.message}`);
    }
    const failed = Object.values(lhr.categories).flatMap((category) => category.auditRefs
      .filter(({ id, weight }) => weight > 0 && lhr.audits[id].score !== null && lhr.audits[id].score < 1)
      .map(({ id }) => `${category.id}/${id} ${lhr.audits[id].score} ${lhr.audits[id].displayValue ?? ""}`.trim()));
    console.log(JSON.stringify({
      scores: Object.fromEntries(Object.values(lhr.categories).map(({ id, score }) => [id, score])),
      failed,
      lcp: lhr.audits["largest-contentful-paint"].numericValue,
      cls: lhr.audits["cumulative-layout-shift"].numericValue,
      requests: lhr.audits["network-requests"].details.items
        .filter(({ transferSize }) => transferSize > 0)
        .map(({ url: address, transferSize }) => [address, transferSize]),
    }));
  }
} finally {
  launched.kill();
}
