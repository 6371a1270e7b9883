namespace WorktreePool.Desync.Tests.Damage;

/// <summary>Every damaged state there is a name for, by the sections of docs/desync.md.</summary>
internal static class Catalogue
{
    public static IReadOnlyList<DamagedState> All { get; } =
    [
        .. HeadsAndRefs.States,
        .. TreeContent.States,
        .. IndexFile.States,
        .. Operations.States,
        .. StaleLocks.States,
        .. Links.States,
        .. ConfigAndHooks.States,
        .. ObjectStore.States,
        .. EnvironmentAndProcesses.States,
        .. Submodules.States,
        .. Filters.States,
        .. Additions.States,
        .. Further.States,
    ];

    public static DamagedState Find(string id) => All.Single(state => state.Id == id);
}
