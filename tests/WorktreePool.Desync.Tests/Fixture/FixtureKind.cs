namespace WorktreePool.Desync.Tests.Fixture;

/// <summary>What repository a bench sets up.</summary>
internal enum FixtureKind
{
    /// <summary>With attributes that change line ends, so that slots are probed by git.</summary>
    Standard,

    /// <summary>The same files without attributes, so that slots are probed in process.</summary>
    Plain,

    /// <summary>The standard one with a submodule.</summary>
    Submodule,
}
