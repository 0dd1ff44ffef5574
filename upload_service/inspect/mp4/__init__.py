"""Read MP4 files as boxes, by the rules of ISO/IEC 14496-12, the ISO base media file format.

The modules cite its section numbers, and QuickTime where its files differ. Whatever reads raises
`NotAVideo` if the file is damaged, ends too early, or exceeds a limit.
"""
