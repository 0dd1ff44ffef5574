/** How far videos are prepared, live: the panel of the watch page, and the cards of the library. */
