using Microsoft.Extensions.Logging;

namespace WorktreePool.Diagnostics;

/// <summary>The pool's log events. None carries a token.</summary>
internal static partial class PoolLog
{
    [LoggerMessage(1, LogLevel.Information, "Pool {Pool}: {Slot} claimed for {Key}, healed [{Healed}]")]
    public static partial void Claimed(ILogger logger, string pool, string slot, string key, string healed);

    [LoggerMessage(2, LogLevel.Information, "Pool {Pool}: {Slot} released by {Key}")]
    public static partial void Released(ILogger logger, string pool, string slot, string key);

    [LoggerMessage(3, LogLevel.Warning, "Pool {Pool}: {Slot} taken over, because {Reason}")]
    public static partial void Reclaimed(ILogger logger, string pool, string slot, string reason);

    [LoggerMessage(4, LogLevel.Error, "Pool {Pool}: {Slot} quarantined: {Reason}")]
    public static partial void Quarantined(ILogger logger, string pool, string slot, string reason);

    [LoggerMessage(5, LogLevel.Warning, "Pool {Pool}: base {Base} could not be fetched, the last known commit is used: {Reason}")]
    public static partial void FetchFailed(ILogger logger, string pool, string @base, string reason);

    [LoggerMessage(6, LogLevel.Warning, "Pool {Pool}: the history could not be written: {Reason}")]
    public static partial void HistoryFailed(ILogger logger, string pool, string reason);

    [LoggerMessage(7, LogLevel.Warning, "Pool {Pool}: {Slot} could not be given back in time and is left for the next claim: {Reason}")]
    public static partial void GiveBackFailed(ILogger logger, string pool, string slot, string reason);

    [LoggerMessage(8, LogLevel.Warning, "Pool {Pool}: the watch over leases stopped for a moment: {Reason}")]
    public static partial void WatchFailed(ILogger logger, string pool, string reason);

    [LoggerMessage(9, LogLevel.Warning, "Pool {Pool}: the lease of {Slot} was disposed, but not released: {Reason}")]
    public static partial void DisposeIncomplete(ILogger logger, string pool, string slot, string reason);

    [LoggerMessage(21, LogLevel.Warning, "Pool {Pool}: an operation that was answered at its deadline has ended now: {Reason}")]
    public static partial void LateEnd(ILogger logger, string pool, string reason);

    [LoggerMessage(10, LogLevel.Information, "Pool {Pool}: rescue {Rescue} of {At} dropped: it is too old, or there are too many (RescueRetention, RescueCount)")]
    public static partial void RescueDropped(ILogger logger, string pool, string rescue, DateTimeOffset at);

    [LoggerMessage(11, LogLevel.Warning, "Pool {Pool}: a remote could not be asked for its branches: {Reason}")]
    public static partial void RemoteNotAsked(ILogger logger, string pool, string reason);

    [LoggerMessage(12, LogLevel.Warning, "Pool {Pool}: the holder of {Slot} for {Key} has not checked in since {CheckedInAt}")]
    public static partial void Overdue(ILogger logger, string pool, string slot, string key, DateTimeOffset checkedInAt);

    [LoggerMessage(13, LogLevel.Information, "Pool {Pool}: this process is its keeper from now on")]
    public static partial void KeeperStarted(ILogger logger, string pool);

    [LoggerMessage(14, LogLevel.Warning, "Pool {Pool}: the keeper could not do all; it tries again in its next pass: {Reason}")]
    public static partial void KeeperFailed(ILogger logger, string pool, string reason);

    [LoggerMessage(15, LogLevel.Warning, "Pool {Pool}: leaving the gate {Gate} could not be recorded; it is free when this process ends: {Reason}")]
    public static partial void GateLeftOpen(ILogger logger, string pool, string gate, string reason);

    [LoggerMessage(16, LogLevel.Information, "Pool {Pool}: settings changed: {Changes}")]
    public static partial void SettingsChanged(ILogger logger, string pool, string changes);

    [LoggerMessage(17, LogLevel.Warning, "Pool {Pool}: {Change} counts after a restart only; the old value stays")]
    public static partial void SettingNeedsRestart(ILogger logger, string pool, string change);

    [LoggerMessage(18, LogLevel.Error, "Pool {Pool}: changed settings are wrong and were not taken; the old ones stay: {Reason}")]
    public static partial void SettingsRefused(ILogger logger, string pool, string reason);

    [LoggerMessage(19, LogLevel.Information, "Pool {Pool}: old history dropped (HistoryRetention, HistoryLimit)")]
    public static partial void HistoryDropped(ILogger logger, string pool);

    [LoggerMessage(20, LogLevel.Warning, "Pool {Pool}: {Slot} is not watched, so a claim reads all of it: {Reason}")]
    public static partial void NotWatched(ILogger logger, string pool, string slot, string reason);

    [LoggerMessage(30, LogLevel.Information, "Pool {Pool}: {Slot}: set-up step {Step} ran for {Seconds:0.0} s")]
    public static partial void SetUpRan(ILogger logger, string pool, string slot, string step, double seconds);
}
