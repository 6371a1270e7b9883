using System.Text.Json;
using System.Text.Json.Serialization;

namespace WorktreePool.FileState;

/// <summary>The mark of a move from or to these files, <c>move.json</c>. While it does not say that the state has arrived, the files are not in use.</summary>
internal sealed class MoveFile(string path)
{
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
    public void Write(MoveMark mark) =>
        DocumentFile.Write(path, ReadableJson.Write(ReadableJson.Indented, writer => JsonSerializer.Serialize(writer, mark, MoveJson.Default.MoveMark)));

    /// <summary>Refuses when the files are not in use.</summary>
    /// <exception cref="StateMovedException">They are not.</exception>
    public void RequireHere()
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
