using System.Text.Json;
using System.Text.Json.Serialization;

namespace WorktreePool.FileState;

/// <summary>
/// The mark of a move from or to these files, <c>move.json</c>. While it does not say that the state has arrived, the files are not in use. To write it counts as a change of the state: as
/// long as the change counter stands still, it need not be read again.
/// </summary>
internal sealed class MoveFile(string path)
{
    /// <summary>The stamp of a state that was in use.</summary>
    private volatile string? _usedAt;

    /// <summary>Null when no move ever concerned the files.</summary>
    /// <exception cref="StateStoreException">The mark is damaged, so it cannot be known whether the files are in use.</exception>
    public MoveMark? Read()
    {
        if (DocumentFile.TryRead(path) is not { } content)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(content, MoveJson.Default.MoveMark) ?? throw new JsonException("it is empty.");
        }
        catch (JsonException e)
        {
            throw new StateStoreException(
                $"{path} is damaged ({e.Message}), so it cannot be known whether the pool's state is in these files or was moved to PostgreSQL. Nothing was changed. Look which store the pool used last; when it is these files, delete {path}.", e);
        }
    }

    /// <summary>Under the store lock.</summary>
    public void Write(StoreLock.Held held, MoveMark mark)
    {
        // A change that is under way and stays so is another's to end.
        bool isPart = held.HasBegun;
        held.Begin();
        DocumentFile.Write(path, ReadableJson.Write(ReadableJson.Indented, writer => JsonSerializer.Serialize(writer, mark, MoveJson.Default.MoveMark)));
        if (!isPart)
        {
            held.End();
        }
    }

    /// <summary>Under the store lock: refuses when the files are not in use.</summary>
    /// <exception cref="StateMovedException">They are not.</exception>
    public void RequireHere(StoreLock.Held held)
    {
        if (held.Number is { } number)
        {
            RequireHere(Readings.StampOf(number));
        }
        else
        {
            RequireHere();
        }
    }

    /// <summary>Under the store lock, after a change that was none of the mark's.</summary>
    public void Keep(StoreLock.Held held) => _usedAt = held is { HasBegun: false, Number: { } number } ? Readings.StampOf(number) : null;

    /// <summary>Refuses when the files are not in use.</summary>
    /// <param name="stamp">Of the state, as it was read before.</param>
    /// <exception cref="StateMovedException">They are not.</exception>
    public void RequireHere(string stamp)
    {
        if (stamp != _usedAt)
        {
            RequireHere();
            _usedAt = Readings.IsCounted(stamp) ? stamp : null;
        }
    }

    private void RequireHere()
    {
        if (Read() is { Stage: not MoveStage.Arrived } mark)
        {
            throw new StateMovedException(mark.Stage == MoveStage.Left
                ? $"The pool's state is no longer in these files: it was moved to PostgreSQL ({path}). Nothing was changed. Use that store, or move back with worktree-pool migrate --to files."
                : $"The pool's state is not yet in these files: it is on its way here ({path}). Nothing was changed. Repeat worktree-pool migrate --to files.");
        }
    }
}

/// <summary>The form of the mark.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(CamelCaseEnum<MoveStage>)])]
[JsonSerializable(typeof(MoveMark))]
internal sealed partial class MoveJson : JsonSerializerContext;
