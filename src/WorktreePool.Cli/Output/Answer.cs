using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace WorktreePool.Cli.Output;

/// <summary>Where a command's answer goes: one JSON object, or text for people. Nothing else is written to standard output.</summary>
internal sealed class Answer(bool json)
{
    public bool IsJson => json;

    /// <summary>Gives the answer.</summary>
    public void Give<T>(T document, JsonTypeInfo<T> type, Func<string> text) =>
        Console.Out.WriteLine(json ? JsonSerializer.Serialize(document, type) : text());

    /// <summary>Gives a long answer, for people page by page.</summary>
    public async Task GivePagedAsync<T>(T document, JsonTypeInfo<T> type, Func<string> text, bool mayPage)
    {
        if (json)
        {
            Give(document, type, text);
        }
        else
        {
            await Pager.ShowAsync(text(), mayPage);
        }
    }

    /// <summary>Gives many answers, one object a line.</summary>
    public static void GiveLines<T>(IEnumerable<T> documents, JsonTypeInfo<T> type)
    {
        foreach (T document in documents)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(document, type));
        }
    }

    /// <summary>Gives a refusal: the object, or words that do not get between a script and the output it reads.</summary>
    public void Refuse<T>(T document, JsonTypeInfo<T> type, Func<string> text)
    {
        if (json)
        {
            Give(document, type, text);
        }
        else
        {
            Console.Error.WriteLine($"worktree-pool: {text()}");
        }
    }

    /// <summary>Tells of an error.</summary>
    public void Fail(string code, string message)
    {
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new ErrorDocument("error", code, message), AnswerJson.Default.ErrorDocument));
        }
        else
        {
            Console.Error.WriteLine($"worktree-pool: {message}");
        }
    }
}
