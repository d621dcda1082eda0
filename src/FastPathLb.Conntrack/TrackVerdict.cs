namespace FastPathLb.Conntrack;

/// <summary>What tracking says of a packet.</summary>
public enum TrackVerdict : byte
{
    /// <summary>Part of the connection; it goes on.</summary>
    Accept = 0,

    /// <summary>Not part of the connection as far as can be told: goes on untracked, so untranslated (-NF_ACCEPT).</summary>
    Invalid = 1,

    /// <summary>The connection is over and the packet opens a new one of the same tuple: look it up again (-NF_REPEAT).</summary>
    Repeat = 2,

    /// <summary>The only reply was a RST: the connection is to be forgotten after this packet.</summary>
    AcceptAndForget = 3,
}
