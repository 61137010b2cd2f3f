"""What all sections of the configuration are made of; the sections stand where they are used."""

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, ValidationError

__all__ = ["Section", "http_url"]


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, and so are numbers without end."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def http_url(such_as: str, instead: str) -> AfterValidator:
    """For `Annotated[str, ...]`: a URL of a server, which stands in errors and traces and so holds
    no password; `instead` says where that goes. A slash at its end is dropped."""

    def check(value: str) -> str:
        try:
            url = AnyHttpUrl(value)
        except ValidationError:
            raise ValueError(f"must be a URL such as {such_as}") from None
        if url.username or url.password:
            raise ValueError(f"must hold no user or password; set {instead} instead")
        return value.rstrip("/")

    return AfterValidator(check)
