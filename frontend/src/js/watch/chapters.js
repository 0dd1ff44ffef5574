/** Chapters: the list beside the video, marks on the seek bar, and names above it. */

/**
 * The chapter at a time.
 * @param {{start: number}[]} chapters in their order
 * @param {number} time seconds
 * @returns {number} an index; -1 before the first
 */
export function chapterAt(chapters, time) {
  return chapters.findLastIndex(({ start }) => start <= time);
}

/** @param {HTMLElement | null} list @returns {{start: number, name: string, link: HTMLElement}[]} */
function readChapters(list) {
  return [...(list?.querySelectorAll("a[data-time]") ?? [])].map((link) => ({
    start: Number(link.dataset.time),
    name: link.querySelector("[data-name]").textContent,
    link,
  }));
}

/**
 * @param {HTMLVideoElement} video
 * @param {object | null} seekBar of `controls.js`
 * @returns {{start: number, name: string}[]} none: the video has no chapters
 */
export function enableChapters(video, seekBar) {
  const chapters = readChapters(document.getElementById("chapters"));
  if (chapters.length === 0) return [];
  let current = -1;
  const follow = () => {
    const index = chapterAt(chapters, video.currentTime);
    if (index === current) return;
    chapters[current]?.link.removeAttribute("aria-current");
    chapters[index]?.link.setAttribute("aria-current", "true");
    current = index;
  };
  for (const event of ["timeupdate", "seeking"]) video.addEventListener(event, follow);
  follow();
  if (seekBar) {
    const draw = () => {
      if (Number.isFinite(video.duration)) seekBar.mark(chapters.map(({ start }) => start / video.duration));
    };
    video.addEventListener("durationchange", draw);
    draw();
    seekBar.nameTimes((time) => chapters[chapterAt(chapters, time)]?.name ?? "");
  }
  return chapters;
}
