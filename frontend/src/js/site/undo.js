/** Hide the offer to undo once it has been there for a while. What it undoes stays possible elsewhere. */

const SHOWN = 10_000; // milliseconds

/** @param {HTMLElement} notice hidden after ten seconds in which it is neither pointed at nor focused */
export function hideLater(notice) {
  const hide = () => {
    if (notice.matches(":hover, :focus-within")) setTimeout(hide, SHOWN);
    else notice.hidden = true;
  };
  setTimeout(hide, SHOWN);
}
