"""The container formats that are accepted, and what can be relied on in each. Each was tried, whole and cut short."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ContainerFormat:
    promises: bool = False  # its header says how long the whole file is, so that a cut or damaged file shows
    # Where its times start later than 0, its duration counts from 0 or from there, as the writer liked.
    ambiguous_end: bool = False
    # Its packets carry their own times: gaps are real. Elsewhere times are counted from bytes or frames.
    timed: bool = False
    # It is nothing but frames, which libav counts: the sound in a hole is missing from all times after it.
    counts_frames: bool = False
    counts_chunks: bool = False  # libav counts a stream's chunks, but an index tells which number each has
    seeks: bool = False  # a seek lands where it says; elsewhere a clip is reached by decoding from the beginning
    paced: bool = False  # its writer chose the scale of its times, which can be wrong
    splices: bool = False  # times may start anew in the middle, where recordings were joined
    marks_cuts: bool = True  # a packet that the end of the file cuts off is marked as corrupt, and no other is
    # The name under which libav logs an error, and goes on, where it loses its place in a damaged file.
    complains_as: str = ""
    ends_in_tags: bool = False  # bytes behind the last frame may be tags or padding, which no decoder can read


# By libavformat's name of the demuxer, the first one where it has several.
FORMATS = {
    "mov": ContainerFormat(promises=True, timed=True, paced=True, seeks=True),
    "matroska": ContainerFormat(
        promises=True, ambiguous_end=True, timed=True, paced=True, seeks=True, complains_as="matroska,webm"
    ),
    "avi": ContainerFormat(timed=True, paced=True, seeks=True, counts_chunks=True),
    "asf": ContainerFormat(timed=True, seeks=True, complains_as="asf"),
    "flv": ContainerFormat(promises=True, ambiguous_end=True, timed=True, complains_as="flv"),
    "mxf": ContainerFormat(promises=True, timed=True, seeks=True),
    "mpegts": ContainerFormat(timed=True, splices=True, complains_as="mpegts"),
    "mpeg": ContainerFormat(timed=True, splices=True),
    "ogg": ContainerFormat(timed=True, splices=True, complains_as="ogg"),
    "rm": ContainerFormat(promises=True, timed=True, paced=True),
    "nut": ContainerFormat(timed=True),
    "wtv": ContainerFormat(timed=True),
    "dv": ContainerFormat(),
    "wav": ContainerFormat(seeks=True, marks_cuts=False),
    "caf": ContainerFormat(seeks=True, marks_cuts=False),
    "w64": ContainerFormat(seeks=True),
    "aiff": ContainerFormat(promises=True, seeks=True),
    "au": ContainerFormat(promises=True, seeks=True),
    "voc": ContainerFormat(),
    "flac": ContainerFormat(promises=True, seeks=True, complains_as="flac"),
    "tta": ContainerFormat(promises=True, seeks=True),
    "wv": ContainerFormat(promises=True, seeks=True),
    # Promises where it has a Xing or VBRI header: extent.promises_duration.
    "mp3": ContainerFormat(counts_frames=True, ends_in_tags=True),
    "aac": ContainerFormat(counts_frames=True),
    "ac3": ContainerFormat(counts_frames=True, complains_as="ac3"),
    "eac3": ContainerFormat(counts_frames=True, complains_as="eac3"),
    "dts": ContainerFormat(counts_frames=True),
    "loas": ContainerFormat(counts_frames=True),
    "amr": ContainerFormat(counts_frames=True),
    "gsm": ContainerFormat(counts_frames=True),
}

# Files other than media that are given often, by how they begin.
_IMPOSTORS = (
    (b"#EXTM3U", "an HLS playlist, which only names other files"),
    (b"ffconcat", "an ffconcat script, which only names other files"),
    (b"<MPD", "a DASH manifest, which only names other files"),
    (b"[playlist]", "a playlist, which only names other files"),
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF document"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"7z\xbc\xaf\x27", "a 7z archive"),
    (b"d8:announce", "a torrent, which only names what is to be downloaded"),
    (b"[InternetShortcut]", "a link to a page on the web"),
    (b"WEBVTT", "a file of subtitles"),
    (b" --> ", "a file of subtitles"),
    (b"<!DOCTYPE html", "a web page"),
    (b"<html", "a web page"),
    (b"ftypheic", "a picture"),
    (b"ftypmif1", "a picture"),
    (b"ftypavif", "a picture"),
)

# Known formats that are not on our list, by how they begin: rare, and not tried.
_UNSUPPORTED = (
    (b"MAC ", "Monkey's Audio"),
    (b"MPCK", "Musepack"),
    (b"MP+", "Musepack"),
    (b"tBaK", "TAK"),
    (b"OFR ", "OptimFROG"),
    (b"ajkg", "Shorten"),
    (b"DSD ", "DSF"),
    (b"FRM8", "DSDIFF"),
    (b"FORM\0", "IFF"),
    (b"\x02dss", "DSS, which dictation machines write,"),
    (b"\x03dss", "DSS, which dictation machines write,"),
    (b"\x03ds2", "DSS Pro, which dictation machines write,"),
    (b"NIST_1A", "SPHERE"),
    (b".SoX", "SoX"),
    (b"XoS.", "SoX"),
    (b"\x64\xa3", "IRCAM"),
    (b"ea3\x03", "ATRAC of OpenMG"),
    (b"EA3\x01", "ATRAC of OpenMG"),
    (b"\x80\0\0", "ADX"),
    (b".R1M", "Internet Video Recording"),
    (b"FWS", "Flash (SWF)"),
    (b"CWS", "Flash (SWF)"),
    (b"ZWS", "Flash (SWF)"),
    (b"BIK", "Bink"),
    (b"SMK", "Smacker"),
    (b"NSV", "NSV"),
    (b"NuppelVideo", "NuppelVideo"),
    (b"MythTVVideo", "NuppelVideo"),
    (b"AV\x01", "PVA"),
    (b"TWIN", "TwinVQ"),
    (b"MThd", "MIDI"),
    (b"\0\0\0\0\x01\xbc", "GXF"),
    (b"DHAV", "DAV, which surveillance cameras write,"),
    (b"#!iLBC", "iLBC"),
)
# Formats of our list, by how they begin, and what libav cannot do without in them. In MP4 only extent knows the begin.
_OURS = (
    (b"\x1aE\xdf\xa3", "header"),
    (b"FLV\x01", "header"),
    (b"\xb7\xd8\x00\x20", "index"),
    (b".RMF", "header"),
    (b"nut/", "header"),
)


def impostor(head: bytes) -> str:
    """Say in words what a file that starts with these bytes is, where it is plainly something else than media; else
    ""."""
    return next((what for mark, what in _IMPOSTORS if mark in head), "")


def unsupported(head: bytes) -> str:
    """Name the known media format of a file that starts with these bytes, where it is not on our list; else ""."""
    is_text = b"\0" not in head
    return next((name for mark, name in _UNSUPPORTED if head.startswith(mark) and not is_text), "")


def lost_part(head: bytes) -> str:
    """Name what cannot be found in a file of our formats that starts with these bytes and cannot be opened; else ""."""
    return next((part for mark, part in _OURS if head.startswith(mark)), "")
